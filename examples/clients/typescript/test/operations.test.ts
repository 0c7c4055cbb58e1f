/** The operations, against a running Chatport. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Chatport, every, Problem } from "../src/index.js";
import { eventually, message, URL, World } from "./world.js";

let world: World;
before(async () => {
  world = await World.make();
});
after(() => world.close());

test("a person and a channel are linked by codes", async () => {
  const params = { path: { org: world.organization } };
  const accounts = await world.chatport.get("/v1/organizations/{org}/accounts", { params });
  assert.deepEqual(
    accounts.items.map((link) => [link.user, link.account.id]),
    [["u-42", "ada"]],
  );
  const channels = await world.chatport.get("/v1/organizations/{org}/channels", { params });
  assert.deepEqual(
    channels.items.map((channel) => [channel.name, channel.is_default]),
    [["incidents", true]],
  );
});

test("a message is shown, changed and taken away", async () => {
  const accepted = await world.put("alert", message(1, "Disk full"));
  assert.equal(accepted.copies.length, 1);
  await world.post("Disk full");
  await world.put("alert", { ...message(2, "Disk is fine"), final: true, log: [{ id: "1", text: "Cleaned up" }] });
  await world.post("Disk is fine");
  const params = { path: { org: world.organization, key: "alert" } };
  await world.chatport.delete("/v1/organizations/{org}/messages/{key}", { params });
  await eventually(async () => (await world.read("alert")).copies.every((copy) => copy.state === "removed"));
});

test("the same revision with other content is a conflict", async () => {
  await world.put("conflict", message(1, "One"));
  await world.put("conflict", message(1, "One"));
  await assert.rejects(world.put("conflict", message(1, "Other")), (error) => {
    assert.ok(error instanceof Problem);
    assert.deepEqual([error.status, error.slug], [409, "revision-conflict"]);
    assert.ok(error.details.cure && error.details.request_id);
    return true;
  });
});

test("what is wrong is a typed problem", async () => {
  const wrong = message(1, "Wrong");
  wrong.content.actions = [{ id: "", label: "Nameless" }];
  await assert.rejects(
    world.put("wrong", wrong),
    (error) => error instanceof Problem && error.details.pointer === "/content/actions/0/id",
  );
  await assert.rejects(
    world.read("unknown"),
    (error) => error instanceof Problem && error.slug === "message-not-found",
  );
  const stranger = new Chatport(URL, "cp_live_wrong");
  await assert.rejects(stranger.get("/v1/backends"), (error) => error instanceof Problem && error.status === 401);
});

test("a wait that is too long is told instead of waited for", async () => {
  const many = async () => {
    for (let i = 0; i < 6; i++) await world.code({ backend: "sandbox", purpose: "user", user: "u-43" });
  };
  await assert.rejects(
    many(),
    (error) => error instanceof Problem && error.status === 429 && (error.retryAfter ?? 0) > 10,
  );
});

test("events and lists are read page by page", async () => {
  await world.put("press", message(1, "Press me"));
  await world.press(await world.post("Press me"));
  const events = [];
  for (let next = 0; ;) {
    const page = await world.chatport.get("/v1/events", { params: { query: { after: next } } });
    events.push(...page.items.filter((event) => event.organization === world.organization));
    if (page.items.length < 200) break;
    next = page.next;
  }
  const pressed = events.find((event) => event.type === "action.invoked");
  assert.deepEqual([pressed?.data.action, pressed?.data.user, pressed?.data.message], ["ack", "u-42", "press"]);
  const found = every((cursor) => {
    const query = { limit: 1, updated_after: "2020-01-01T00:00:00Z", ...(cursor && { cursor }) };
    return world.chatport.get("/v1/organizations/{org}/accounts", {
      params: { path: { org: world.organization }, query },
    });
  });
  const users = [];
  for await (const link of found) users.push(link.user);
  assert.deepEqual(users, ["u-42"]);
});

test("what the API doesn't take doesn't compile", () => {
  const unused = async () => {
    // @ts-expect-error: no such path
    await world.chatport.get("/v1/unknown");
    // @ts-expect-error: a message needs targets and content
    await world.put("key", { revision: 1 });
    // @ts-expect-error: no such state
    (await world.read("key")).copies[0]?.state === "lost";
  };
  assert.equal(typeof unused, "function");
});
