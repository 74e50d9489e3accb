/** A real HTTP server in place of Cloudflare's API, and what tests say to it. */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import {
  type CloudflareSource,
  type CloudflareSourceOptions,
  createCloudflareSource,
} from "../../../src/adapters/cloudflare/source.ts";

export const TOKEN = "cfut_0123456789abcdefghijklmnopqrstuvwxyzAB+/";

export const NOW = new Date("2026-03-01T12:00:00Z");

type SentRequest = { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders };

export type Api = { readonly url: string; readonly requests: readonly SentRequest[] };

/** A server that answers every request with `answer`, `nth` counting from 1; it ends with the test. */
export async function startApi(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, nth: number) => void,
): Promise<Api> {
  const requests: SentRequest[] = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
    answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`, requests };
}

/** A source that reads the server, with waits too short to notice. */
export function sourceOf(api: Api, options: Partial<CloudflareSourceOptions> = {}): CloudflareSource {
  return createCloudflareSource({
    baseUrl: api.url,
    credential: { kind: "token", token: TOKEN },
    clock: { now: () => NOW },
    redact: (text) => text,
    firstBackoffMs: 1,
    ...options,
  });
}

/** Sends JSON: a text as it is, anything else serialized. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** A successful page of a list. */
export function page(result: readonly unknown[], info?: Record<string, unknown>): object {
  const envelope = { success: true, errors: [], messages: [], result };
  return info === undefined ? envelope : { ...envelope, result_info: info };
}

/** Invites as the API lists them, with the ids `1` to `count`, from `first` on. */
export function rawInvites(count: number, first = 1): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => rawInvite({ id: String(first + index) }));
}

export function rawInvite(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: "4f5f0c14a2a41d5063dd301b2f829f04",
    invited_member_id: "5a7805061c76ada191ed06f989cc3dac",
    invited_member_email: "user@example.com",
    organization_id: "org-1",
    organization_name: "Cloudflare, Inc.",
    organization_is_enforcing_twofactor: true,
    invited_by: "admin@example.com",
    invited_on: "2026-02-28T12:00:00Z",
    expires_on: "2026-03-04T12:00:00Z",
    roles: ["Account Administrator"],
    status: "pending",
    ...fields,
  };
}

/** The number that the `page` parameter of a request holds. */
export function pageOf(request: IncomingMessage): number {
  return Number(new URL(request.url ?? "", "http://localhost").searchParams.get("page"));
}

export function fixture(name: string): Promise<string> {
  return readFile(new URL(`../../fixtures/cloudflare/${name}.json`, import.meta.url), "utf8");
}

/** A signal that never aborts. */
export function forever(): AbortSignal {
  return new AbortController().signal;
}
