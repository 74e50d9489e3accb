/** Who may call the stand-in, and how often: the credentials' checks in Cloudflare's order, and the limit per user. */
import type { IncomingHttpHeaders } from "node:http";
import type { JsonObject } from "../domain/json.ts";
import { type Answer, invalidHeaders, refusals } from "./cloudflare-answers.ts";

/** What the stand-in accepts: one API token, and one pair of e-mail and global key. */
export type Accepted = { readonly token: string; readonly email: string; readonly key: string };

/** Calls allowed in a window; null lifts the limit. */
export type RateLimit = { readonly requests: number; readonly windowMs: number } | null;

/** How a caller was let in, or the answer that turns it away. */
export type Access =
  | { readonly kind: "token" }
  | { readonly kind: "key" }
  | { readonly kind: "refused"; readonly answer: Answer };

const tokenShape = /^(cfut_|cfat_)?[\w-]{40,}$/;
const keyShape = /^(cfk_[\w-]{37,}|[0-9a-f]{37})$/;
const emailShape = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;

/** Whether the headers hold a credential that is accepted; a token is looked at before a key. */
export function checkAccess(headers: IncomingHttpHeaders, accepted: Accepted): Access {
  const { authorization } = headers;
  const email = headers["x-auth-email"]?.toString();
  const key = headers["x-auth-key"]?.toString();
  if (authorization !== undefined) return checkToken(authorization, accepted);
  if (email === undefined || key === undefined) return refused(refusals.credentialsMissing);
  const [first, ...others] = [
    ...(emailShape.test(email) ? [] : [{ code: 6102, message: "Invalid format for X-Auth-Email header" }]),
    ...(keyShape.test(key) ? [] : [{ code: 6103, message: "Invalid format for X-Auth-Key header" }]),
  ] satisfies JsonObject[];
  if (first !== undefined) return refused(invalidHeaders([first, ...others]));
  return email === accepted.email && key === accepted.key ? { kind: "key" } : refused(refusals.keyUnknown);
}

function checkToken(authorization: string, accepted: Accepted): Access {
  const token = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? "";
  if (token === accepted.token) return { kind: "token" };
  if (!tokenShape.test(token)) return refused(refusals.tokenMalformed);
  return refused(token.startsWith("cfat_") ? refusals.accountToken : refusals.tokenUnknown);
}

function refused(answer: Answer): Access {
  return { kind: "refused", answer };
}

/** What the limit says of one call: the headers of its answer, and for how long to stay away if it was one too many. */
export type Allowance = {
  readonly headers: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | null;
};

/**
 * Counts calls; returns the count's verdict on each.
 *
 * The call that is one too many starts a block of a whole window, as Cloudflare does.
 *
 * @see https://developers.cloudflare.com/fundamentals/api/reference/limits/
 */
export function createRateLimiter(limit: RateLimit): (now: Date) => Allowance {
  if (limit === null) return () => ({ headers: {}, retryAfterSeconds: null });
  const policy = `"default";q=${limit.requests};w=${Math.ceil(limit.windowMs / 1000)}`;
  let left = limit.requests;
  let blocked = false;
  let windowEnd = 0;
  return (now) => {
    if (now.getTime() >= windowEnd) {
      windowEnd = now.getTime() + limit.windowMs;
      left = limit.requests;
      blocked = false;
    }
    if (left === 0 && !blocked) {
      blocked = true;
      windowEnd = now.getTime() + limit.windowMs;
    }
    left = Math.max(0, left - 1);
    const seconds = Math.ceil((windowEnd - now.getTime()) / 1000);
    const headers = { ratelimit: `"default";r=${left};t=${seconds}`, "ratelimit-policy": policy };
    return { headers, retryAfterSeconds: blocked ? seconds : null };
  };
}
