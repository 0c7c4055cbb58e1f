// Making and updating elements. Text becomes text nodes only, never markup.

/** An element with these properties (`class`, `on…` handlers, attributes) and children. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== ''));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** The sign that stands for somebody. */
export function avatar(id, name) {
  const initials = name.split(/\s+/).map((word) => word[0]).join('').slice(0, 2).toUpperCase();
  const number = [...id].reduce((sum, character) => sum + character.codePointAt(0), 0) % 6;
  return element('span', { class: `avatar colour-${number}`, 'aria-hidden': 'true' }, initials);
}

/** A point in time, short; in full when pointed at. */
export function time(at) {
  const date = new Date(at);
  const short = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return element('time', { datetime: at, title: date.toLocaleString() }, short);
}

/**
 * Let a list show these items, each by a view `{ element, update(item) }` that is kept as
 * long as the item's key is there, so that focus and open details survive.
 */
export function keyedList(list, keyOf, makeView) {
  let views = new Map();
  return (items) => {
    const before = views;
    views = new Map(items.map((item) => [keyOf(item), before.get(keyOf(item)) ?? makeView(item)]));
    before.forEach((view, key) => views.has(key) || view.element.remove());
    [...views.values()].forEach((view, index) => {
      view.update(items[index]);
      // What stands in its place isn't moved: that would take the focus from it.
      if (list.children[index] !== view.element) list.insertBefore(view.element, list.children[index] ?? null);
    });
  };
}
