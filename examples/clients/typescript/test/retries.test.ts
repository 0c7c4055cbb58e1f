/** What is repeated and what isn't, against a stand-in that answers as it is told. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";

import { Chatport, NoAnswer, Problem } from "../src/index.js";
import { type Asked, type Given, serve } from "./server.js";
import { message } from "./world.js";

const ACCEPTED: Given = [202, { key: "alert", revision: 1, changed: true, copies: [] }];

function problem(slug: string, status: number, retryAfter?: number): Given {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  return [status, { type: `/problems/${slug}`, title: "T", status, cure: "Wait." }, headers];
}

async function standIn(t: TestContext, ...answers: Given[]) {
  const requests: Asked[] = [];
  const waits: number[] = [];
  const server = await serve((asked) => {
    requests.push(asked);
    return answers.shift();
  });
  t.after(() => server.close());
  const chatport = new Chatport(server.url, "key", { sleep: async (wait) => void waits.push(wait) });
  const put = () =>
    chatport.put("/v1/organizations/{org}/messages/{key}", {
      params: { path: { org: "acme", key: "a/b" } },
      body: message(1, "Disk full"),
    });
  return { chatport, put, requests, waits, server };
}

test("a message is put again with the same key and revision", async (t) => {
  const { put, requests, waits } = await standIn(t, problem("commit-unknown", 503, 2), undefined, ACCEPTED);
  assert.equal((await put()).revision, 1);
  assert.equal(requests.length, 3);
  assert.equal(new Set(requests.map(({ method, path, body }) => `${method} ${path} ${body}`)).size, 1);
  assert.equal(requests[0]?.path, "/v1/organizations/acme/messages/a%2Fb");
  assert.equal(waits[0], 2000);
});

test("it gives up after some tries, with growing waits between them", async (t) => {
  const { put, waits } = await standIn(t, ...Array.from({ length: 4 }, () => problem("unavailable", 503)));
  await assert.rejects(put(), (error) => error instanceof Problem && error.status === 503);
  assert.equal(waits.length, 3);
  [250, 500, 1000].forEach((longest, i) => assert.ok(longest / 2 <= (waits[i] ?? 0) && (waits[i] ?? 0) <= longest));
});

test("what is made anew each time is not repeated after it may have happened", async (t) => {
  for (const answer of [undefined, problem("unavailable", 503, 1)]) {
    const { chatport, requests } = await standIn(t, answer);
    const params = { path: { org: "acme" } };
    const code = chatport.post("/v1/organizations/{org}/verification-codes", {
      params,
      body: { purpose: "channel", backend: "sandbox" },
    });
    await assert.rejects(code, answer ? Problem : NoAnswer);
    assert.equal(requests.length, 1);
  }
});

test("nor is what tells a secret once", async (t) => {
  const { chatport, requests } = await standIn(t, undefined);
  const body = { url: "http://127.0.0.1:9/", kinds: [] };
  const subscription = chatport.put("/v1/subscriptions/{name}", { params: { path: { name: "oncall" } }, body });
  await assert.rejects(subscription, (error) => error instanceof NoAnswer && error.mayHaveHappened);
  assert.equal(requests.length, 1);
});

test("anything is repeated after nothing has happened", async (t) => {
  const { chatport, waits } = await standIn(t, problem("overloaded", 503, 1), [200, { previews: [] }]);
  const preview = chatport.post("/v1/organizations/{org}/previews", {
    params: { path: { org: "acme" } },
    body: { content: { title: "T" } },
  });
  assert.deepEqual((await preview).previews, []);
  assert.deepEqual(waits, [1000]);
});

test("nobody there is no answer", async (t) => {
  const { chatport, server, waits } = await standIn(t);
  server.close();
  await assert.rejects(chatport.get("/v1/backends"), (error) => error instanceof NoAnswer && !error.mayHaveHappened);
  assert.equal(waits.length, 3);
});

test("a call ends when its time is over", async (t) => {
  const silent = createServer().listen(0, "127.0.0.1");
  t.after(() => silent.close());
  await new Promise((resolve) => silent.once("listening", resolve));
  const { port } = silent.address() as { port: number };
  const chatport = new Chatport(`http://127.0.0.1:${port}`, "key", { timeout: 200 });
  await assert.rejects(chatport.get("/v1/backends"), (error) => error instanceof NoAnswer && error.mayHaveHappened);
});
