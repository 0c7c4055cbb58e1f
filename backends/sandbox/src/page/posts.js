// Posts as people see them: who wrote what when, cards with facts, buttons and menus, what
// stood there before, the thread under it, and notices for the reader alone.

import { avatar, element, keyedList, time } from './dom.js';
import { link, markdown } from './markdown.js';

const STATES = { firing: 'Firing', acknowledged: 'Acknowledged', silenced: 'Silenced', resolved: 'Resolved', info: 'Info' };

/** What is said of a post where there is room for one line. */
export function summary(post) {
  if (post.deleted_at) return 'deleted';
  const state = STATES[post.state];
  return [state && `${state}:`, post.title, post.text].filter(Boolean).join(' ').slice(0, 200);
}

/** What a card shows, but for its buttons. */
function card(post) {
  const facts = (post.facts ?? []).map(({ name, value, short }) =>
    element('div', { class: short ? 'short' : undefined }, element('dt', {}, name), element('dd', {}, ...markdown(value))));
  const title = (post.state || post.title) && element('h3', {},
    post.state ? element('span', { class: 'state' }, STATES[post.state] ?? post.state) : undefined, post.title ?? '');
  return [
    post.mention ? element('span', { class: 'mention' }, post.mention) : undefined,
    title || undefined,
    post.text ? element('div', { class: 'text' }, ...markdown(post.text)) : undefined,
    facts.length ? element('dl', {}, ...facts) : undefined,
    // Pictures from elsewhere aren't loaded.
    post.image ? element('p', {}, link(post.image.url, `Picture: ${post.image.alt || post.image.url}`)) : undefined,
    post.link ? element('p', {}, link(post.link.url, post.link.label || post.link.url)) : undefined,
  ];
}

/** Buttons and menus. `press(post, action, choice)` is done once the server has answered. */
function actions(post, press) {
  const pressable = (button, label, choice) => element('button', {
    type: 'button',
    class: button.style && button.style !== 'default' ? button.style : undefined,
    'data-focus': `${button.id}/${choice ?? ''}`,
    onclick: async ({ currentTarget }) => {
      if (currentTarget.getAttribute('aria-disabled') === 'true') return;
      currentTarget.setAttribute('aria-disabled', 'true');
      const open = currentTarget.closest('.menu[open]');
      if (open) {
        open.querySelector('summary').focus();
        open.open = false;
      }
      await press(post.id, button.id, choice);
      currentTarget.removeAttribute('aria-disabled');
    },
  }, label);
  const menu = (button) => element('details', { class: 'menu', name: 'menu' },
    element('summary', { 'data-focus': `${button.id}/menu` }, button.label),
    element('div', { role: 'group', 'aria-label': button.label },
      ...button.choices.map((choice) => pressable(button, choice.label, choice.value))));
  const all = (post.buttons ?? []).map((button) =>
    (button.choices?.length ? menu(button) : pressable(button, button.label)));
  return all.length ? element('div', { class: 'actions' }, ...all) : undefined;
}

function history(post) {
  const earlier = post.history ?? [];
  if (!earlier.length) return undefined;
  return element('details', { class: 'history' },
    element('summary', { 'data-focus': 'history' }, earlier.length === 1 ? 'One earlier version' : `${earlier.length} earlier versions`),
    element('ol', {}, ...earlier.map((version) => element('li', {}, 'Until ', time(version.until), ...card(version)))));
}

/** A post and its thread, as a view for `keyedList`. */
export function postView(context) {
  const body = element('div', { class: 'body' });
  const notice = element('p', { class: 'notice', hidden: true });
  const replies = element('ol', { class: 'replies', 'aria-label': 'Replies', hidden: true });
  const article = element('article', { tabindex: '-1' }, body, notice);
  const showReplies = keyedList(replies, (reply) => reply.id, () => postView(context));
  let shown;

  const render = (post) => {
    const name = context.nameOf(post.by);
    const deleted = Boolean(post.deleted_at);
    const head = element('header', {},
      element('strong', {}, name), post.by === context.bot() ? element('span', { class: 'tag' }, 'app') : undefined,
      time(post.at),
      post.edited_at && !deleted ? element('span', { class: 'quiet', title: new Date(post.edited_at).toLocaleString() }, 'edited') : undefined,
      deleted ? undefined : element('button', {
        type: 'button', class: 'reply', 'data-focus': 'reply', 'aria-label': `Reply to ${name}`, onclick: () => context.reply(post),
      }, 'Reply'));
    article.className = ['post', post.state && `state-${post.state}`, deleted && 'deleted'].filter(Boolean).join(' ');
    article.setAttribute('aria-label', `${name}: ${summary(post)}`);
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
    const hadFocus = body.contains(document.activeElement);
    const content = deleted
      ? [element('p', { class: 'quiet' }, 'This message was deleted.')]
      : [element('div', { class: 'card' }, ...card(post).filter(Boolean), actions(post, context.press)), history(post)];
    body.replaceChildren(avatar(post.by, name), element('div', { class: 'words' }, head, ...content.filter(Boolean)));
    // Whoever was at a button stays there, or at the post if the button has gone.
    if (hadFocus) {
      const again = [...body.querySelectorAll('[data-focus]')].find((one) => one.dataset.focus === focused);
      (again && !again.closest('details:not([open]) > :not(summary)') ? again : article).focus();
    }
    if (shown !== undefined) {
      article.classList.remove('changed');
      void article.offsetWidth; // starts the animation anew
      article.classList.add('changed');
    }
  };

  return {
    element: element('li', {}, article, replies),
    update({ replies: thread = [], ...post }) {
      const now = JSON.stringify(post);
      if (now !== shown) render(post);
      shown = now;
      const about = context.noticeAbout(post.id);
      notice.hidden = !about;
      notice.replaceChildren(...(about ? ['Only you see this: ', ...markdown(about.text).flatMap((block) => [...block.childNodes])] : []));
      replies.hidden = thread.length === 0;
      showReplies(thread);
    },
  };
}

/** A notice that stands alone, as a view for `keyedList`. */
export function noticeView() {
  const text = element('div');
  const made = element('li', {}, element('div', { class: 'notice' }, 'Only you see this: ', text));
  return { element: made, update: (notice) => text.replaceChildren(...markdown(notice.text)) };
}
