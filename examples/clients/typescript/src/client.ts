/** Chatport's API, by its paths. */

import createClient, { type MaybeOptionalInit } from "openapi-fetch";
import type { HttpMethod, PathsWithMethod, RequiredKeysOf, SuccessResponse } from "openapi-typescript-helpers";

import type { paths } from "./generated/schema.js";
import { type Retries, send } from "./retries.js";

export interface ChatportOptions {
  /** How many milliseconds a call may take with all its retries. A call takes an `AbortSignal` of its own as `signal`. */
  timeout?: number;
  retries?: Retries;
  sleep?: (milliseconds: number) => Promise<void>;
}

/** Calls one operation. It gives the answer's content, or throws a `Problem` or `NoAnswer`. */
type Call<M extends HttpMethod> = <P extends PathsWithMethod<paths, M>, I extends MaybeOptionalInit<paths[P], M>>(
  path: P,
  ...init: RequiredKeysOf<I> extends never ? [I?] : [I]
) => Promise<Content<paths[P][M]>>;

type Content<Operation> = Operation extends { responses: infer Answers extends Record<number, unknown> }
  ? SuccessResponse<Answers, "application/json">
  : never;

interface Page<Item> {
  items: Item[];
  next?: string | null;
}

/**
 * Each operation is called by its method and path:
 *
 *     const chatport = new Chatport("http://127.0.0.1:8000", "cp_live_…");
 *     await chatport.put("/v1/organizations/{org}/messages/{key}", {
 *       params: { path: { org: "demo", key: "alert-1" } },
 *       body: { revision: 1, targets: [{ default: true }], content: { title: "Disk full on db-1" } },
 *     });
 */
export class Chatport {
  readonly get: Call<"get">;
  readonly put: Call<"put">;
  readonly post: Call<"post">;
  readonly patch: Call<"patch">;
  readonly delete: Call<"delete">;

  constructor(baseUrl: string, apiKey: string, options: ChatportOptions = {}) {
    const sending = {
      timeout: options.timeout ?? 10_000,
      retries: options.retries ?? { attempts: 4, firstWait: 250 },
      sleep: options.sleep ?? ((wait: number) => new Promise<void>((resolve) => setTimeout(resolve, wait))),
    };
    const client = createClient<paths, "application/json">({
      baseUrl,
      headers: { authorization: `Bearer ${apiKey}` },
      fetch: (request) => send(request, sending),
    });
    this.get = content(client.GET);
    this.put = content(client.PUT);
    this.post = content(client.POST);
    this.patch = content(client.PATCH);
    this.delete = content(client.DELETE);
  }
}

/**
 * All items of a list, page by page:
 *
 *     every((cursor) => chatport.get(path, { params: { path: { org }, query: { ...(cursor && { cursor }) } } }));
 */
export async function* every<Item>(page: (cursor: string | undefined) => Promise<Page<Item>>): AsyncGenerator<Item> {
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await page(cursor);
    yield* items;
    if (!next) return;
    cursor = next;
  }
}

/** What isn't an answer was thrown before, so only the content is left. */
function content<M extends HttpMethod>(method: unknown): Call<M> {
  const call = method as (...given: unknown[]) => Promise<{ data: unknown }>;
  return (async (...given: unknown[]) => (await call(...given)).data) as Call<M>;
}
