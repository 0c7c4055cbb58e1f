// Making the platform misbehave, and letting it go well again.

import { byId, element } from './dom.js';

const KINDS = {
  fail: 'It fails for now',
  stall: 'It never answers',
  lose_answer: 'The answer gets lost',
  rate_limit: 'It asks to slow down',
  unauthorized: 'The bot is refused',
  reject: 'The content is refused',
  gone: 'It is gone',
};
const OPERATIONS = { post: 'in posting', edit: 'in editing', delete: 'in deleting' };
/** How long to stay away, for those that ask to slow down. */
const RETRY_AFTER_SECONDS = 10;

/** Show the faults that wait. `call(method, path, body)` speaks to the API. */
export function faultsPanel(call, changed) {
  const kind = byId('fault-kind');
  kind.append(...Object.entries(KINDS).map(([value, words]) => element('option', { value }, words)));
  const attempt = async (...request) => {
    byId('faults-problem').textContent = '';
    try {
      await call(...request);
      changed();
    } catch (problem) {
      byId('faults-problem').textContent = problem.message;
    }
  };
  byId('faults-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const fault = { kind: kind.value, times: byId('fault-times').valueAsNumber };
    const operation = byId('fault-operation').value;
    if (operation) fault.operation = operation;
    if (fault.kind === 'rate_limit') fault.retry_after_seconds = RETRY_AFTER_SECONDS;
    attempt('POST', 'faults', fault);
  });
  byId('faults-end').addEventListener('click', () => attempt('DELETE', 'faults'));

  return (faults) => {
    const words = ({ kind: name, times, operation }) =>
      `${KINDS[name] ?? name}, ${times === 1 ? 'once' : `${times} times`}, ${OPERATIONS[operation] ?? 'wherever it may be'}`;
    byId('faults-list').replaceChildren(...faults.map((fault) => element('li', {}, words(fault))));
    byId('faults-end').disabled = faults.length === 0;
    byId('faults-count').hidden = faults.length === 0;
    byId('faults-count').textContent = `${faults.length}`;
    byId('faults-count').title = 'waiting';
  };
}
