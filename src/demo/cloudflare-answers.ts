/** What Cloudflare's API says when it refuses, word for word as seen in the wild: some answers lack `messages` and `result`. */
import type { Json, JsonObject } from "../domain/json.ts";

/** One HTTP answer: an object is sent as JSON, text as HTML, bytes as JSON that is serialised already. */
export type Answer = {
  readonly status: number;
  readonly body: JsonObject | string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The refusals, by what is wrong. */
export const refusals = {
  credentialsMissing: bare(400, { code: 9106, message: "Missing X-Auth-Key, X-Auth-Email or Authorization headers" }),
  accountToken: {
    status: 400,
    body: { success: false, errors: [{ code: 9106, message: "Authentication failed (status: 400)" }], result: null },
  },
  tokenMalformed: invalidHeaders([{ code: 6111, message: "Invalid format for Authorization header" }]),
  tokenUnknown: full(403, { code: 9109, message: "Invalid access token" }),
  keyUnknown: {
    status: 400,
    body: { success: false, errors: [{ code: 9103, message: "Unknown X-Auth-Key or X-Auth-Email" }], result: null },
  },
  tokenNeeded: full(400, { code: 1001, message: 'Missing "Authorization" header' }),
  permissionMissing: bare(403, { code: 10000, message: "Authentication error" }),
  throttled: bare(429, { code: 971, message: "Please wait and consider throttling your request speed" }),
  notFound: full(404, { code: 7003, message: "No route for the URI" }),
} as const satisfies Record<string, Answer>;

/** A page of an edge server, where the API was not reached. */
export const badGateway: Answer = {
  status: 502,
  body: "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>cloudflare</center></body></html>\n",
};

/** HTTP 200 that is a failure all the same: a client that looks at the status alone reads an empty list. */
export const failureWith200: Answer = {
  status: 200,
  body: { success: false, errors: [{ code: 1001, message: "Internal error" }], messages: [], result: [] },
};

/** The refusal of malformed `X-Auth-Email` (6102) and `X-Auth-Key` (6103) headers. */
export function invalidHeaders(chain: readonly [JsonObject, ...JsonObject[]]): Answer {
  return full(400, { code: 6003, message: "Invalid request headers", error_chain: chain });
}

/** A success with its result. */
export function success(result: Json, more: JsonObject = {}): JsonObject {
  return { result, success: true, errors: [], messages: [], ...more };
}

function full(status: number, error: JsonObject): Answer {
  return { status, body: { success: false, errors: [error], messages: [], result: null } };
}

function bare(status: number, error: JsonObject): Answer {
  return { status, body: { success: false, errors: [error] } };
}
