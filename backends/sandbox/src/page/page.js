// The page's own state: who reads, which conversation is open, what has been seen. What there
// is to see comes from the JSON API, anew at each change.

import { avatar, byId, element, keyedList } from './dom.js';
import { faultsPanel } from './faults.js';
import { follow } from './live.js';
import { noticeView, postView, summary } from './posts.js';

const API = new URL('../', import.meta.url);

/** Call the API; what it refuses is thrown as an error with words for people. */
async function call(method, path, body) {
  const options = { method, cache: 'no-store', headers: { accept: 'application/json' } };
  if (body) Object.assign(options, { headers: { ...options.headers, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  let answer;
  let said;
  try {
    answer = await fetch(new URL(path, API), options);
    said = await answer.json();
  } catch {
    throw new Error('Chatport can’t be reached. Is it running?');
  }
  if (!answer.ok && said.error) throw new Error(`${said.error} (${said.hint})`);
  return said;
}

let world; // as the API shows it
let me; // the person who reads
let open; // the conversation that is open
let replyTo; // the post that is being replied to
let notices = [];
let shown; // who is shown what
let known = new Map(); // what was shown last, to tell what is new
const seen = new Map(); // how many posts of each conversation each person has seen

const conversation = () => world.conversations.find(({ id }) => id === open);
const nameOf = (id) => (id === world.bot ? 'Bot' : world.people.find((person) => person.id === id)?.name ?? id);
const mine = () => world.conversations.filter(({ members }) => members.includes(me));
const titleOf = ({ id, kind, name }) => (kind === 'direct' ? 'Bot' : name || id);

/** Who reads what, as the address says it: `#ada/incidents`. */
function readAddress() {
  const [person, place] = location.hash.slice(1).split('/');
  if (world.people.some(({ id }) => id === person)) me = person;
  me ??= world.people[0].id;
  if (mine().some(({ id }) => id === place)) open = place;
  // A direct conversation is somebody else's for another reader.
  if (!mine().some(({ id }) => id === open)) open = mine()[0].id;
}

function go(person, place) {
  [me, open] = [person, place];
  history.replaceState(null, '', `#${me}/${open}`);
  readAddress();
  stopReply();
  byId('problem').textContent = '';
  return refresh();
}

// What is shown.

const showFaults = faultsPanel(call, () => refresh());
const context = { bot: () => world.bot, nameOf, press, reply: startReply, noticeAbout: (id) => notices.findLast((notice) => notice.about === id) };
const keyOf = (item) => item.id ?? `notice ${item.at} ${item.text}`;
const showPosts = keyedList(byId('posts'), (item) => `${me}/${open}/${keyOf(item)}`, (item) => (item.id ? postView(context) : noticeView()));

/** A conversation to choose, as a view for `keyedList`. */
function placeView() {
  const button = element('button', { type: 'button' });
  let shown;
  return {
    element: element('li', {}, button),
    update(place) {
      const key = `${me}/${place.id}`;
      if (place.id === open || !seen.has(key)) seen.set(key, place.posts);
      const unread = place.posts > seen.get(key);
      if (place.id === open) button.setAttribute('aria-current', 'page');
      else button.removeAttribute('aria-current');
      button.onclick = () => go(me, place.id).then(closeMenu);
      if (shown === unread) return; // nothing else of it changes
      shown = unread;
      button.replaceChildren(
        place.kind === 'direct' ? avatar(world.bot, 'Bot') : element('span', { class: 'sign', 'aria-hidden': 'true' }, '#'),
        element('span', {}, titleOf(place)),
        place.archived ? element('span', { class: 'quiet' }, 'archived') : '',
        unread ? element('span', { class: 'count' }, 'new') : '',
      );
    },
  };
}

const showChannels = keyedList(byId('channels'), (place) => place.id, placeView);
const showDirect = keyedList(byId('direct'), (place) => place.id, placeView);

function showPlaces() {
  showChannels(mine().filter(({ kind }) => kind === 'channel'));
  showDirect(mine().filter(({ kind }) => kind === 'direct'));
}

function showPlace() {
  const place = conversation();
  const isDirect = place.kind === 'direct';
  byId('world').textContent = world.world;
  byId('person').value = me;
  byId('place').textContent = isDirect ? 'Bot' : `# ${titleOf(place)}`;
  byId('members').textContent = isDirect ? 'You and the bot' : place.members.map(nameOf).join(', ');
  document.title = `${titleOf(place)} · Sandbox`;
  const text = byId('text');
  text.disabled = place.archived;
  byId('composer').querySelector('[type=submit]').disabled = place.archived;
  text.placeholder = place.archived
    ? 'Archived: nobody can write here'
    : isDirect ? 'link CODE, unlink or help' : `Message #${titleOf(place)}`;
}

/** Posts, and the notices that aren't about one of them, in the order of time. */
function timeline(posts) {
  const ids = new Set(posts.flatMap((post) => [post.id, ...(post.replies ?? []).map(({ id }) => id)]));
  const alone = notices.filter(({ about }) => !ids.has(about));
  return [...posts, ...alone].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** Say what is new in the open conversation to those who don't see it. */
function announce(posts, isFirst) {
  const now = new Map();
  const news = [];
  const all = [...posts.flatMap(({ replies = [], ...post }) => [post, ...replies]), ...notices];
  for (const item of all) {
    const [key, text] = [keyOf(item), item.id ? summary(item) : `Only you see this: ${item.text}`];
    now.set(key, text);
    if (isFirst || known.get(key) === text || item.by === me) continue;
    news.push(item.id ? `${known.has(key) ? 'Changed, ' : ''}${nameOf(item.by)}: ${text}` : text);
  }
  known = now;
  // What another reader was told isn't for this one.
  if (news.length || isFirst) byId('news').replaceChildren(...news.map((text) => element('p', {}, text)));
}

async function load() {
  world = await call('GET', 'world');
  if (!byId('person').options.length) {
    byId('person').append(...world.people.map(({ id, name }) => element('option', { value: id }, name)));
    readAddress();
  }
  const reading = `${me}/${open}`;
  const [{ posts, notices: told = [] }, { faults }] = await Promise.all([
    call('GET', `conversations/${encodeURIComponent(open)}/posts?as=${encodeURIComponent(me)}`),
    call('GET', 'faults'),
  ]);
  if (reading !== `${me}/${open}`) return; // the reader has gone elsewhere meanwhile
  const log = byId('log');
  const isFirst = shown !== reading;
  const atEnd = isFirst || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  shown = reading;
  notices = told;
  showPlaces();
  showPlace();
  showFaults(faults);
  showPosts(timeline(posts));
  const isEmpty = world.conversations.every((place) => place.posts === 0);
  byId('welcome').hidden = !isEmpty;
  byId('nothing').hidden = isEmpty || posts.length + notices.length > 0;
  announce(posts, isFirst);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

let loading;
let again = false;
/** Load what there is; once more if something changes meanwhile. */
function refresh() {
  again = true;
  loading ??= (async () => {
    try {
      while (again) {
        again = false;
        await load();
      }
    } catch {
      live('lost');
    } finally {
      loading = undefined;
    }
  })();
  return loading;
}

function live(state) {
  const words = state === 'live' ? 'Live' : 'Not connected; trying again';
  if (byId('live').textContent !== words) byId('live').textContent = words;
  byId('live').className = `live ${state === 'live' ? 'on' : 'lost'}`;
}

// What people do.

async function attempt(...request) {
  byId('problem').textContent = '';
  try {
    const said = await call(...request);
    await refresh();
    return said;
  } catch (problem) {
    byId('problem').textContent = problem.message;
    return undefined;
  }
}

function press(post, action, choice) {
  return attempt('POST', `posts/${post}/press`, { as: me, action, choice });
}

function startReply(post) {
  replyTo = post.id;
  byId('replying').hidden = false;
  byId('replying').querySelector('span').textContent = `Replying to ${nameOf(post.by)}: ${summary(post).slice(0, 60)}`;
  byId('text').focus();
}

function stopReply() {
  replyTo = undefined;
  byId('replying').hidden = true;
}

async function send(event) {
  event.preventDefault();
  const [field, text] = [byId('text'), byId('text').value];
  if (!text.trim()) return;
  const body = replyTo ? { as: me, text, reply_to: replyTo } : { as: me, text };
  field.value = '';
  if (await attempt('POST', `conversations/${encodeURIComponent(open)}/messages`, body)) {
    stopReply();
    byId('log').scrollTop = byId('log').scrollHeight;
  } else {
    field.value ||= text;
  }
}

function openMenu() {
  byId('places').classList.add('open');
  byId('menu').setAttribute('aria-expanded', 'true');
  byId('places').querySelector('[aria-current]')?.focus();
}

function closeMenu() {
  if (!byId('places').classList.contains('open')) return;
  byId('places').classList.remove('open');
  byId('menu').setAttribute('aria-expanded', 'false');
  byId('menu').focus();
}

byId('composer').addEventListener('submit', send);
byId('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId('composer').requestSubmit();
});
byId('replying').querySelector('button').addEventListener('click', () => { stopReply(); byId('text').focus(); });
byId('person').addEventListener('change', ({ target }) => {
  const isOwn = conversation()?.kind === 'direct';
  go(target.value, isOwn ? world.people.find(({ id }) => id === target.value).direct : open);
});
byId('to-bot').addEventListener('click', () => go(me, world.people.find(({ id }) => id === me).direct).then(() => byId('text').focus()));
byId('to-channel').addEventListener('click', () => go(me, mine()[0].id).then(() => byId('text').focus()));
byId('menu').addEventListener('click', () => (byId('places').classList.contains('open') ? closeMenu() : openMenu()));
document.addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape') return;
  document.querySelectorAll('details.menu[open]').forEach((menu) => menu.removeAttribute('open'));
  if (replyTo) stopReply();
  closeMenu();
});
window.addEventListener('hashchange', () => {
  if (!world || !location.hash.includes('/')) return;
  readAddress();
  go(me, open);
});

follow(new URL('events', API), () => refresh(), live);
