/** What the tests have to do with: a running Chatport, an organization with a sandbox, and what people do in it. */

import { randomUUID } from "node:crypto";

import { Chatport, type Schemas } from "../src/index.js";

export const URL = setting("CHATPORT_URL");
const KEY = setting("CHATPORT_KEY");

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} isn't set`);
  return value;
}

/** What `look` gives as soon as it gives something. */
export async function eventually<T>(look: () => Promise<T | undefined | false>, milliseconds = 20_000): Promise<T> {
  for (const end = performance.now() + milliseconds; ;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error("it didn't happen in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A message to the default channel, with a button. */
export function message(revision: number, title: string): Schemas["PutMessageInput"] {
  return {
    revision,
    targets: [{ default: true }],
    content: { state: "firing", title, actions: [{ id: "ack", label: "Acknowledge" }] },
  };
}

interface Post {
  id: string;
}

/** An organization of its own, with a sandbox in which Ada is the user `u-42` and `incidents` is connected. */
export class World {
  readonly chatport = new Chatport(URL, KEY);
  readonly organization = `test-${randomUUID()}`;
  #sandbox = "";

  static async make(): Promise<World> {
    const world = new World();
    const { chatport, organization } = world;
    await chatport.put("/v1/organizations/{org}", { params: { path: { org: organization } }, body: { name: "Test" } });
    const path = { org: organization };
    await chatport.post("/v1/organizations/{org}/installations", { params: { path }, body: { backend: "sandbox" } });
    const [step] = (await world.code({ backend: "sandbox", purpose: "user", user: "u-42" })).steps;
    world.#sandbox = /http\S+\/in\/sandbox\/\w+/.exec(step?.text ?? "")?.[0] ?? "";
    await world.enter("dm-ada", step);
    await world.enter("incidents", (await world.code({ backend: "sandbox", purpose: "channel" })).steps[0]);
    return world;
  }

  code(body: Schemas["NewCode"]): Promise<Schemas["CodeView"]> {
    return this.chatport.post("/v1/organizations/{org}/verification-codes", {
      params: { path: { org: this.organization } },
      body,
    });
  }

  put(key: string, body: Schemas["PutMessageInput"]): Promise<Schemas["Accepted"]> {
    return this.chatport.put("/v1/organizations/{org}/messages/{key}", {
      params: { path: { org: this.organization, key } },
      body,
    });
  }

  read(key: string): Promise<Schemas["MessageView"]> {
    return this.chatport.get("/v1/organizations/{org}/messages/{key}", {
      params: { path: { org: this.organization, key } },
    });
  }

  /** The post with this title, as soon as it stands there. */
  post(title: string): Promise<Post> {
    return eventually(async () => {
      const { posts } = (await this.#ask("conversations/incidents/posts")) as { posts: Post[] };
      return posts.find((post) => JSON.stringify(post).includes(title));
    });
  }

  press(post: Post): Promise<unknown> {
    return this.#ask(`posts/${post.id}/press`, { as: "ada", action: "ack" });
  }

  async close(): Promise<void> {
    await this.chatport.delete("/v1/organizations/{org}", { params: { path: { org: this.organization } } });
  }

  async enter(conversation: string, step: Schemas["ShownStep"] | undefined): Promise<void> {
    if (step?.kind !== "send_text") throw new Error("a text to send was expected");
    await this.#ask(`conversations/${conversation}/messages`, { as: "ada", text: step.send.value });
  }

  async #ask(path: string, body?: unknown): Promise<unknown> {
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    return (await fetch(`${this.#sandbox}/${path}`, init)).json();
  }
}
