/** Events as Chatport posts them: signed as Standard Webhooks describes, told apart by their `type`. */

import { Webhook } from "standardwebhooks";

import type { components } from "./generated/schema.js";
import { ChatportError } from "./problems.js";

/** An event; `switch (event.type)` tells which. A later Chatport may have more kinds: let them pass. */
export type AnyEvent = components["schemas"]["AnyEvent"];

/** What to answer to an event for which somebody waits. */
export type EventReply = components["schemas"]["EventReply"];

/** Not signed with the subscription's secret, or signed more than five minutes ago. Answer 401. */
export class NotGenuine extends ChatportError {}

/** Verifies and reads what is posted to a subscription's URL. */
export class Webhooks {
  readonly #webhook: Webhook;

  /** `secret`: what the answer that made the subscription has. While it is rotated, Chatport signs with both. */
  constructor(secret: string) {
    this.#webhook = new Webhook(secret);
  }

  /** The event in a request with these headers and this body, as it came. It may come again: remember its `id`. Throws `NotGenuine`. */
  event(headers: Record<string, string | string[] | undefined>, body: Buffer | string): AnyEvent {
    const single = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value ?? "")]));
    try {
      return this.#webhook.verify(body, single) as AnyEvent;
    } catch (error) {
      throw new NotGenuine(String(error), { cause: error });
    }
  }
}
