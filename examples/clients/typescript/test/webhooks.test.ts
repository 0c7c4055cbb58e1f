/** Signed events, as Chatport posts them. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { Webhook } from "standardwebhooks";

import { type EventReply, NotGenuine, Webhooks } from "../src/index.js";
import { type Asked, serve } from "./server.js";
import { eventually, message, World } from "./world.js";

test("events are genuine and typed, and a press is answered with a notice and new content", async (t) => {
  const world = await World.make();
  t.after(() => world.close());
  const heard: string[] = [];
  let webhooks: Webhooks | undefined;
  const receiver = await serve((asked: Asked) => {
    const event = webhooks?.event(asked.headers, asked.body);
    if (event?.organization !== world.organization) return [200, {}];
    heard.push(event.type);
    if (event.type !== "action.invoked") return [200, {}];
    const content = { state: "acknowledged", title: `${event.data.user} is on it` } as const;
    return [200, { notice: "Noted.", content, revision: event.data.revision + 1 } satisfies EventReply];
  });
  t.after(() => receiver.close());
  const params = { path: { name: `test-${randomUUID()}` } };
  const body = { url: receiver.url, kinds: [] };
  const { secret } = await world.chatport.put("/v1/subscriptions/{name}", { params, body });
  t.after(() => world.chatport.delete("/v1/subscriptions/{name}", { params }));
  webhooks = new Webhooks(secret ?? "");
  await world.put("alert", message(1, "Disk full"));
  assert.match(JSON.stringify(await world.press(await world.post("Disk full"))), /Noted\./);
  await world.post("u-42 is on it");
  await eventually(async () => heard.includes("message.delivered"));
  assert.ok(heard.includes("action.invoked"));
});

const SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
const BODY = '{"id":"01","type":"account.renamed","organization":"acme","timestamp":"2026-01-01T00:00:00Z","data":{}}';

function headers(minutesAgo = 0, secret = SECRET): Record<string, string> {
  const at = new Date(Date.now() - minutesAgo * 60_000);
  return {
    "Webhook-Id": "01",
    "Webhook-Timestamp": String(Math.floor(at.getTime() / 1000)),
    "Webhook-Signature": new Webhook(secret).sign("01", at, BODY),
  };
}

test("a good signature passes, others are refused", () => {
  const webhooks = new Webhooks(SECRET);
  assert.equal(webhooks.event(headers(), Buffer.from(BODY)).organization, "acme");
  const wrong: Record<string, Record<string, string>> = {
    old: headers(6),
    "from the future": headers(-6),
    "of another secret": headers(0, OTHER),
    "under another id": { ...headers(), "Webhook-Id": "02" },
    "no signature": { ...headers(), "Webhook-Signature": "" },
    "not a signature": { ...headers(), "Webhook-Signature": "v1" },
    "no time": { ...headers(), "Webhook-Timestamp": "now" },
  };
  for (const [name, given] of Object.entries(wrong)) assert.throws(() => webhooks.event(given, BODY), NotGenuine, name);
  assert.throws(() => webhooks.event(headers(), BODY.replace("acme", "evil")), NotGenuine);
});
