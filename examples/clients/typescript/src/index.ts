/**
 * A typed client of Chatport's API. `generated/schema.ts` is made from the API's description; retries, problems and
 * webhooks are written by hand.
 */

export { Chatport, type ChatportOptions, every } from "./client.js";
export type { components, operations, paths } from "./generated/schema.js";
export { ChatportError, NoAnswer, Problem, type ProblemDetails, type ProblemSlug } from "./problems.js";
export type { Retries } from "./retries.js";
export { type AnyEvent, type EventReply, NotGenuine, Webhooks } from "./webhooks.js";

import type { components } from "./generated/schema.js";

/** The shapes of what is sent and answered, e.g. `Schemas["PutMessageInput"]`. */
export type Schemas = components["schemas"];
