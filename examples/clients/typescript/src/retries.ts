/** How a request is sent: within a time, and again where that can't do harm. */

import { NoAnswer, Problem } from "./problems.js";

/** How often a request is sent at most, and how many milliseconds lie between the first two times; then twice as many each time. */
export interface Retries {
  attempts: number;
  firstWait: number;
}

export interface Sending {
  timeout: number;
  retries: Retries;
  sleep: (milliseconds: number) => Promise<void>;
}

/** Desired state, by the application's own keys and revisions: twice is the same as once. */
const REPEATABLE_METHODS = new Set(["GET", "PUT", "DELETE"]);

/** Its answer has a secret that no second answer has. */
const ANSWERED_ONCE = /\/v1\/subscriptions\/[^/]+$/;

/** What may be otherwise in a moment. */
const PASSING = new Set([429, 502, 503, 504]);

/** Problems after which anything may be repeated. */
const NOTHING_CHANGED = new Set<string>(["too-many-requests", "backlog-full", "storage-low", "overloaded"]);

/** Faults after which nothing has left this machine. */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** A `fetch` that answers or throws a `Problem` or `NoAnswer`. */
export async function send(request: Request, sending: Sending): Promise<Response> {
  const repeatable =
    REPEATABLE_METHODS.has(request.method) &&
    !(request.method === "PUT" && ANSWERED_ONCE.test(new URL(request.url).pathname));
  const deadline = performance.now() + sending.timeout;
  for (let attempt = 1; ; attempt++) {
    const answer = await once(request.clone(), deadline - performance.now());
    if (answer instanceof Response) return answer;
    let wait = sending.retries.firstWait * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
    let again: boolean;
    if (answer instanceof NoAnswer) {
      again = repeatable || !answer.mayHaveHappened;
    } else {
      again = PASSING.has(answer.status) && (repeatable || NOTHING_CHANGED.has(answer.slug));
      wait = Math.max(wait, (answer.retryAfter ?? 0) * 1000);
    }
    if (!again || request.signal.aborted || attempt >= sending.retries.attempts || performance.now() + wait >= deadline)
      throw answer;
    await sending.sleep(wait);
  }
}

async function once(request: Request, timeout: number): Promise<Response | Problem | NoAnswer> {
  // The caller's own signal, or the time.
  const stop = new AbortController();
  for (const signal of [request.signal, AbortSignal.timeout(Math.max(Math.ceil(timeout), 1))]) {
    signal.addEventListener("abort", () => stop.abort(signal.reason), { once: true });
  }
  try {
    const response = await fetch(request, { signal: stop.signal });
    return response.status < 400 ? response : await Problem.of(response);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    return new NoAnswer(String(cause), !NOT_SENT.has(code), { cause: error });
  }
}
