/** Servers of the tests' own on loopback. */

import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** An answer: status, content, headers. `undefined` closes the connection without one. */
export type Given = [status: number, content?: unknown, headers?: Record<string, string>] | undefined;

export interface Server {
  url: string;
  close(): void;
}

export async function serve(answer: (asked: Asked) => Given): Promise<Server> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const given = answer({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body });
    if (!given) return request.socket.destroy();
    const [status, content, headers] = given;
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(content));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
