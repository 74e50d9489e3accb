/** A real HTTP server that keeps what is posted to it, and answers as a test tells it to. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type Post = { readonly method: string; readonly headers: IncomingHttpHeaders; readonly body: string };

export type Receiver = {
  readonly url: string;
  readonly posts: readonly Post[];
  /** 204 until something else is said; without an answer where it says null. */
  answer(how: ((response: ServerResponse) => void) | null): void;
  close(): Promise<void>;
};

export async function startReceiver(): Promise<Receiver> {
  const posts: Post[] = [];
  let answer: ((response: ServerResponse) => void) | null = (response) => response.writeHead(204).end();
  const server = createServer((request, response) => {
    text(request).then(
      (body) => {
        posts.push({ method: request.method ?? "", headers: request.headers, body });
        answer?.(response);
      },
      () => response.destroy(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/a-secret-path`,
    posts,
    answer(how) {
      answer = how;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
