/**
 * What the API's failures mean, and what a person can do about each.
 *
 * Cloudflare answers a bad credential with 400 as often as with 401 or 403, so the error code counts
 * as much as the status.
 *
 * @see https://developers.cloudflare.com/fundamentals/api/troubleshooting/
 */
import { maskedLine, oneLine } from "../../domain/one-line.ts";
import type { Shortfall } from "../../domain/snapshot.ts";
import { isObject } from "./json.ts";

/** A request that did not get a usable answer. */
export class CloudflareError extends Error {
  override readonly name = "CloudflareError";
  readonly shortfall: Shortfall;
  /** Whether the API itself said no: JSON with `success: false`. An edge or proxy in between does not. */
  readonly fromApi: boolean;
  /** Whether the same request may succeed if it is sent again shortly. */
  readonly retryable: boolean;
  /** How long the server asks to wait before that, in ms; null where it does not say. */
  readonly retryAfterMs: number | null;

  constructor(
    shortfall: Shortfall,
    more: { fromApi?: boolean; retryable?: boolean; retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(shortfall.reason, { cause: more.cause });
    this.shortfall = shortfall;
    this.fromApi = more.fromApi ?? false;
    this.retryable = more.retryable ?? false;
    this.retryAfterMs = more.retryAfterMs ?? null;
  }
}

/** An answer that is not the JSON of a success, as far as the failure depends on it. */
type Refusal = {
  readonly httpStatus: number;
  readonly cfRay: string | null;
  /** What came in place of a success: "an HTML page instead of JSON", "success: false". */
  readonly body: string;
  readonly envelope: { readonly [key: string]: unknown } | null;
  readonly retryAfterMs: number | null;
};

type ApiError = { readonly code: number | null; readonly message: string };

const CODE_ADVICE: ReadonlyMap<number, string> = new Map([
  [6111, "the API token is malformed: set it as Cloudflare showed it, without quotes or spaces"],
  [6103, "the global API key is malformed: an API token belongs into CLOUDFLARE_API_TOKEN, not CLOUDFLARE_API_KEY"],
  [6102, "the e-mail address beside the global API key is malformed: set CLOUDFLARE_EMAIL to the one of the login"],
  [6003, "the credential is malformed: set it as Cloudflare showed it, without quotes or spaces"],
  [9103, "Cloudflare does not know this e-mail address and key: check CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY"],
  [
    9106,
    "the credential is missing or is an account-owned token (cfat_…), which cannot read a user's invitations: " +
      "create a user API token with the permission Memberships Read",
  ],
  [
    9109,
    "the token is invalid, revoked, without access or not allowed from this address: " +
      "check it and its IP filter in the dashboard, or create a new user API token",
  ],
  [
    10000,
    "the token lacks a permission or is not a user's: create a user API token with the permission Memberships Read",
  ],
]);

/** Codes that mean a bad credential although the status is 400. */
const CREDENTIAL_CODES = new Set([6003, 9103, 9106, 9109, 10000]);

/** The failure that an unusable answer is, with its retry terms. Texts of the API are redacted and capped. */
export function refused(refusal: Refusal, redact: (text: string) => string): CloudflareError {
  const { httpStatus, cfRay, envelope, retryAfterMs } = refusal;
  const errors = apiErrors(envelope, redact);
  const code = errors.find((error) => error.code !== null)?.code ?? null;
  const cause = causeOf(httpStatus, code);
  const what = errors.length > 0 && httpStatus >= 400 ? "" : ` with ${refusal.body}`;
  const said = errors.map((error) => `, ${show(error)}`).join("");
  const reason = `HTTP ${httpStatus}${what}${said}: ${adviceFor(httpStatus, errors, cause)}`;
  const retryable = httpStatus === 408 || httpStatus === 429 || httpStatus >= 500;
  return new CloudflareError(
    { reason, cause, httpStatus, code, cfRay },
    {
      fromApi: envelope?.success === false,
      retryable,
      retryAfterMs,
    },
  );
}

/** The failure that no answer at all is. @param proxyFault what is wrong with the proxy on the way, if that is it */
export function unreached(host: string, error: Error & { code?: string }, proxyFault: string | null): CloudflareError {
  if (proxyFault !== null) {
    return new CloudflareError(withoutAnswer("network", proxyFault), { retryable: true, cause: error });
  }
  const code = oneLine(error.code ?? error.name, 60);
  if (code === "ERR_INVALID_CHAR") {
    const reason = "the credential holds characters that cannot be sent: set it as Cloudflare showed it";
    return new CloudflareError(withoutAnswer("credential", reason), { cause: error });
  }
  const reason = `no complete answer from ${host} (${code}): check the network and CLOUDFLARE_BASE_URL if this lasts`;
  return new CloudflareError(withoutAnswer("network", reason), { retryable: true, cause: error });
}

/**
 * The failure that an abort is: the deadline's, or a stop's.
 *
 * @param latest what kept the request from being done sooner, if anything did
 */
export function stopped(signal: AbortSignal, latest: CloudflareError | null): CloudflareError {
  const late = isTimeout(signal.reason);
  const what = late ? "the deadline came before the answer did" : "stopped before it finished";
  const reason = latest === null ? what : `${what}; before that, ${latest.shortfall.reason}`;
  const shortfall = latest?.shortfall ?? withoutAnswer("deadline", reason);
  return new CloudflareError({ ...shortfall, reason, cause: "deadline" }, { cause: signal.reason });
}

/** The same failure, with more said. */
export function withReason(error: CloudflareError, reason: string): CloudflareError {
  return new CloudflareError({ ...error.shortfall, reason }, { fromApi: error.fromApi, cause: error });
}

/** A shortfall that no answer belongs to. */
export function withoutAnswer(cause: Shortfall["cause"], reason: string): Shortfall {
  return { reason, cause, httpStatus: null, code: null, cfRay: null };
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "TimeoutError";
}

function causeOf(httpStatus: number, code: number | null): Shortfall["cause"] {
  if (httpStatus === 401 || httpStatus === 403) return "credential";
  if (httpStatus === 400 && code !== null && CREDENTIAL_CODES.has(code)) return "credential";
  if (httpStatus === 429) return "rate_limit";
  return httpStatus === 408 || httpStatus >= 500 ? "server" : "content";
}

function adviceFor(httpStatus: number, errors: readonly ApiError[], cause: Shortfall["cause"]): string {
  // The chain names the header at fault, so the last code that we know says most.
  const known = errors.findLast((error) => error.code !== null && CODE_ADVICE.has(error.code));
  if (cause === "credential" && known?.code) return CODE_ADVICE.get(known.code) ?? "";
  if (cause === "credential")
    return "the credential was refused: check it in the dashboard, or create a new user API token";
  if (cause === "rate_limit")
    return "this user's requests are throttled, by whatever else uses them too: poll less often if this lasts";
  if (cause === "server") return "Cloudflare is in trouble: the next sync tries again";
  if (httpStatus >= 300 && httpStatus < 400) return "redirects are not followed: check CLOUDFLARE_BASE_URL";
  if (httpStatus >= 400) return "the request was refused: check CLOUDFLARE_BASE_URL";
  return "nothing can be concluded from it, and the next sync tries again";
}

function apiErrors(envelope: Refusal["envelope"], redact: (text: string) => string): ApiError[] {
  const errors = Array.isArray(envelope?.errors) ? envelope.errors.slice(0, 3) : [];
  return errors.filter(isObject).flatMap((error) => {
    const chain = Array.isArray(error.error_chain) ? error.error_chain.slice(0, 3).filter(isObject) : [];
    return [error, ...chain].map((link) => ({ code: codeOf(link.code), message: messageOf(link.message, redact) }));
  });
}

function codeOf(value: unknown): number | null {
  const code = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(code) ? (code as number) : null;
}

function messageOf(value: unknown, redact: (text: string) => string): string {
  return typeof value === "string" ? maskedLine(value, 200, redact) : "";
}

function show(error: ApiError): string {
  const code = error.code === null ? "no code" : `code ${error.code}`;
  return error.message === "" ? code : `${code} (${error.message})`;
}
