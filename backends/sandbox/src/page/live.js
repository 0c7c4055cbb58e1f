// Hearing of changes as they happen. The server ends each answer after one change or a few
// seconds; the browser asks again by itself, and says what it has seen.

/** How long the connection may be away before the reader is told, and before it is made anew. */
const PATIENCE = 3000;

/** Call `changed` at each change and `state` with 'live' or 'lost', while the page is seen. */
export function follow(address, changed, state) {
  let source;
  let timer;
  const arrived = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  const connect = () => {
    arrived();
    source?.close();
    source = new EventSource(address);
    source.addEventListener('open', () => {
      arrived();
      state('live');
    });
    source.addEventListener('change', changed);
    // An ended answer looks like an error, too. One that was refused isn't asked for again.
    source.addEventListener('error', () => {
      timer ??= setTimeout(() => {
        state('lost');
        connect();
      }, PATIENCE);
    });
  };
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return connect();
    arrived();
    source.close();
  });
  connect();
}
