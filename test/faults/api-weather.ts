/** How the API fails during the weather. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { StandIn, User } from "../../src/demo/cloudflare.ts";
import { badGateway, failureWith200, refusals, success } from "../../src/demo/cloudflare-answers.ts";
import type { FailurePlan } from "../../src/demo/cloudflare-failures.ts";
import type { Chance } from "./chance.ts";

const FAILURES: readonly FailurePlan[] = [
  { kind: "answer", answer: badGateway },
  { kind: "answer", answer: { status: 500, body: { success: false, errors: [{ code: 1001, message: "no" }] } } },
  { kind: "answer", answer: { ...refusals.throttled, headers: { "retry-after": "1" } } },
  { kind: "answer", answer: { status: 200, body: "<!DOCTYPE html><title>Just a moment...</title>" } },
  { kind: "answer", answer: failureWith200 },
  { kind: "answer", answer: refusals.tokenUnknown },
  { kind: "stall" },
  { kind: "cut" },
  { kind: "drop" },
];

/** Lets some of the next requests go wrong. */
export function failSome(api: StandIn, chance: Chance, watches: number): void {
  api.fail({ ...chance.pick(FAILURES), times: chance.between(1, watches) });
}

/**
 * A copy that lags behind answers: its list lacks the newest invites, and it knows none by its id.
 *
 * Until the failures are cleared, so that poll after poll says the same. Only the count tells that the list is short.
 */
export function lag(api: StandIn, userOf: (token: string) => User | undefined): void {
  const respond = (request: IncomingMessage, response: ServerResponse) => {
    const user = userOf(request.headers.authorization?.replace("Bearer ", "") ?? "");
    const invites = user?.invites.list() ?? [];
    const short = invites.slice(0, Math.floor(invites.length / 2));
    const info = { count: short.length, page: 1, per_page: 50, total_count: Math.max(1, invites.length) };
    const isList = request.url?.includes("/user/invites?") === true;
    response.writeHead(isList ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(isList ? success(short, { result_info: info }) : refusals.notFound.body));
  };
  api.fail({ kind: "custom", match: "/user/invites", respond });
}
