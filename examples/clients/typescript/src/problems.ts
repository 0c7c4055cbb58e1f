/** What can go wrong, as errors. Every answer from 400 on is a problem (RFC 9457) with a stable `type`. */

import type { components } from "./generated/schema.js";

/** What a problem says. */
export type ProblemDetails = components["schemas"]["ProblemDetails"];

type EndOf<T> = T extends `/problems/${infer Slug}` ? Slug : never;

/** The kinds of problem that this client knows, e.g. `revision-conflict`. More may come. */
export type ProblemSlug = EndOf<components["schemas"]["ProblemType"]>;

/** Everything that this package throws when Chatport doesn't do what was asked. */
export class ChatportError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Chatport couldn't be reached or didn't answer in time. */
export class NoAnswer extends ChatportError {
  constructor(
    message: string,
    /** Whether the request may have been carried out all the same. A message can be put again with the same key and revision. */
    readonly mayHaveHappened: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Chatport refused. `slug` says exactly which kind of problem it is. */
export class Problem extends ChatportError {
  constructor(
    /** All that the problem says: `title`, `detail`, `cure`, `pointer`, `field`, `installations`, … */
    readonly details: ProblemDetails,
    /** In how many seconds to try again, where Chatport says so. */
    readonly retryAfter: number | undefined,
  ) {
    super(`${details.status} ${details.type}: ${details.detail ?? details.title}. ${details.cure}`);
  }

  get status(): number {
    return this.details.status;
  }

  get slug(): ProblemSlug | (string & {}) {
    return this.details.type.replace(/^.*\//, "");
  }

  /** The problem that an answer is. What a proxy on the way says has no kind: `about:blank`. */
  static async of(response: Response): Promise<Problem> {
    const wait = response.headers.get("retry-after") ?? "";
    const body: unknown = await response.json().catch(() => undefined);
    const blank = { type: "about:blank", title: response.statusText, status: response.status, cure: "" };
    return new Problem(
      isDetails(body) ? body : (blank as unknown as ProblemDetails),
      /^\d+$/.test(wait) ? Number(wait) : undefined,
    );
  }
}

function isDetails(body: unknown): body is ProblemDetails {
  return (
    typeof body === "object" && body !== null && "type" in body && typeof body.type === "string" && "status" in body
  );
}
