/**
 * A stand-in for the part of Cloudflare's API that concerns a user's invitations: a real HTTP server on
 * this machine whose state and failures are scripted from code. It only reads, as the product does.
 *
 * @see https://developers.cloudflare.com/api/resources/user/subresources/invites/
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Accepted, checkAccess, createRateLimiter, type RateLimit } from "./cloudflare-access.ts";
import { type Answer, refusals, success } from "./cloudflare-answers.ts";
import { createFailures, type FailurePlan, type Misbehaviour, sendAnswer, sendHalf } from "./cloudflare-failures.ts";
import { type Collection, createState, type Invites, type State } from "./cloudflare-state.ts";
import { createRequestLog, type RequestLog } from "./request-log.ts";
import { hexId } from "./sample-invite.ts";

const basePath = "/client/v4";

/** Credentials that the stand-in accepts unless told otherwise; well-formed, and worth nothing elsewhere. */
export const demoCredentials: Accepted = {
  token: "demo-token-that-opens-no-door-but-this-one",
  email: "you@example.com",
  key: "0123456789abcdef0123456789abcdef01234",
};

/** What one user of the API has. */
export type User = { readonly invites: Invites; readonly memberships: Collection };

export type StandInOptions = {
  /** Any free one by default. */
  readonly port?: number;
  readonly accepted?: Accepted;
  /** 1,200 requests in 5 minutes by default, as at Cloudflare; null lifts it, and its headers with it. */
  readonly rateLimit?: RateLimit;
  /** The server's clock, shown as `Date` and used for the limit. */
  readonly now?: () => Date;
};

export type StandIn = User & {
  /** With the base path, without a slash at the end. */
  readonly url: string;
  readonly requests: RequestLog;
  /** A further user, who is let in by other credentials; the limit is one for all. */
  addUser(accepted: Accepted): User;
  /** Makes requests go wrong, from the next one on. */
  fail(plan: FailurePlan): void;
  clearFailures(): void;
  /** Drops every connection, also those that a scripted stall holds open. */
  close(): Promise<void>;
};

/** A running stand-in on 127.0.0.1, without invitations. */
export async function startCloudflareStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const {
    accepted = demoCredentials,
    rateLimit = { requests: 1200, windowMs: 300_000 },
    now = () => new Date(),
  } = options;
  const state = createState();
  const accounts: Account[] = [{ accepted, state }];
  const failures = createFailures();
  const requests = createRequestLog();
  const allow = createRateLimiter(rateLimit);

  const server = createServer((request, response) => {
    request.resume();
    requests.add({ method: request.method ?? "", path: request.url ?? "" });
    const at = now();
    const allowance = allow(at);
    response.setHeader("date", at.toUTCString());
    response.setHeader("cf-ray", `${requests.count.toString(16).padStart(16, "0")}-FRA`);
    for (const [name, value] of Object.entries(allowance.headers)) response.setHeader(name, value);
    const answer = (): Answer => {
      if (allowance.retryAfterSeconds === null) return route(request, accounts);
      return { ...refusals.throttled, headers: { "retry-after": String(allowance.retryAfterSeconds) } };
    };

    const failure = failures.next(request);
    if (failure === null) sendAnswer(response, answer());
    else misbehave(failure, { request, response, answer });
  });
  // A client's pool must not lose a connection between two polls of a demo or a test.
  server.keepAliveTimeout = 60_000;
  const port = await listen(server, options.port ?? 0);

  return {
    url: `http://127.0.0.1:${port}${basePath}`,
    invites: state.invites,
    memberships: state.memberships,
    requests,
    addUser(others) {
      const account = { accepted: others, state: createState() };
      accounts.push(account);
      return account.state;
    },
    fail: failures.add,
    clearFailures: failures.clear,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        requests.end();
      }),
  };
}

type Account = { readonly accepted: Accepted; readonly state: State };

function route(request: IncomingMessage, accounts: readonly Account[]): Answer {
  const url = URL.parse(request.url ?? "/", "http://127.0.0.1");
  if (url === null) return refusals.notFound;
  const { pathname, searchParams } = url;
  const entries = accounts.map(({ accepted, state }) => ({ access: checkAccess(request.headers, accepted), state }));
  const { access, state } =
    entries.find((entry) => entry.access.kind !== "refused") ?? (entries[0] as (typeof entries)[number]);
  if (access.kind === "refused") return access.answer;
  if (request.method !== "GET") return refusals.notFound;

  const page = wholeNumber(searchParams.get("page"), 1, [1, Number.MAX_SAFE_INTEGER]);
  const perPage = searchParams.get("per_page");
  if (pathname === `${basePath}/user/invites`) {
    return ok(state.invitesPage(page, wholeNumber(perPage, 20, [1, 50])));
  }
  if (pathname === `${basePath}/memberships`) {
    return ok(state.membershipsPage(page, wholeNumber(perPage, 20, [5, 50]), searchParams.get("status")));
  }
  if (pathname === `${basePath}/user/tokens/verify`) {
    return access.kind === "token" ? tokenIsActive : refusals.tokenNeeded;
  }
  const id = /^\/client\/v4\/user\/invites\/([^/]+)$/.exec(pathname)?.[1];
  const invite = id === undefined ? undefined : state.findInvite(id);
  return invite === undefined ? refusals.notFound : ok(success(invite));
}

const tokenIsActive = ok({
  ...success({ id: hexId("demo token"), status: "active" }),
  messages: [{ code: 10000, message: "This API Token is valid and active", type: null }],
});

function misbehave(
  how: Misbehaviour,
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly answer: () => Answer },
): void {
  const { request, response, answer } = exchange;
  const hangUp = (): void => void request.socket.destroy();
  if (how.kind === "answer") sendAnswer(response, how.answer);
  if (how.kind === "stall-in-body") sendHalf(response, answer(), () => {});
  if (how.kind === "cut") sendHalf(response, answer(), hangUp);
  if (how.kind === "drop") hangUp();
  if (how.kind === "custom") how.respond(request, response);
}

function ok(body: Answer["body"]): Answer {
  return { status: 200, body };
}

/** The number that the text says, moved into the range from min to max; the default where it says none. */
function wholeNumber(text: string | null, byDefault: number, [min, max]: readonly [number, number]): number {
  if (text === null || !/^\d+$/.test(text)) return byDefault;
  return Math.min(max, Math.max(min, Number(text)));
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
