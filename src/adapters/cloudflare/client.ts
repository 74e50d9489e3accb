/**
 * One GET of the API, with its retries: the only place that talks to the network.
 *
 * GET alone, one host, no redirects: nothing that an answer says can choose a URL or a method.
 * What an answer means is decided by its readers; here it is only proved to be a success.
 */
import type { Agent as HttpAgent, IncomingHttpHeaders } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import got from "got";
import manifest from "../../../package.json" with { type: "json" };
import type { Clock } from "../../app/ports.ts";
import type { Credential } from "../../config/config.ts";
import { oneLine } from "../../domain/one-line.ts";
import type { Redactor } from "../../domain/redact.ts";
import { CloudflareError, refused, stopped, unreached, withoutAnswer, withReason } from "./failure.ts";
import { isObject } from "./json.ts";
import { maskJson } from "./mask.ts";
import { backoffMs, isNearLimit, parseHttpDate, rateLimitMs, retryAfterMs } from "./pace.ts";

/** First attempts included: with the waits of `pace.ts` a dead API is given up within a minute and a half. */
const MAX_ATTEMPTS = 4;

/** For one attempt. What drips in without end is the deadline's business. */
const TIMEOUTS_MS = { lookup: 10_000, connect: 10_000, secureConnect: 10_000, response: 20_000, socket: 20_000 };

const utf8 = new TextDecoder();

/** The way to a host, perhaps through a proxy. */
export type Outbound = {
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  /** What is wrong with the proxy; null where the error is not the proxy's. */
  readonly proxyFault: (error: unknown) => string | null;
};

type ClientOptions = {
  readonly baseUrl: string;
  /** How the host is reached; as Node.js does by itself where it is left out. */
  readonly outbound?: Outbound | undefined;
  readonly credential: Credential;
  readonly clock: Clock;
  /** Takes the credential out of every answer. */
  readonly mask: Redactor;
  /** Takes every secret out of what the API says of a failure. */
  readonly redact: Redactor;
  readonly maxPageBytes: number;
  readonly firstBackoffMs: number;
};

/** How long a call may take: aborted by the signal, and without any wait that would end after `endsAtMs`. */
export type Budget = {
  readonly signal: AbortSignal;
  /** Both on the scale of performance.now(). */
  readonly startsAtMs: number;
  readonly endsAtMs: number;
};

/** What came back, whatever it is. */
type Received = { readonly httpStatus: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/** A success: JSON with `success: true`. */
export type Answer = {
  readonly httpStatus: number;
  readonly cfRay: string | null;
  readonly envelope: { readonly [key: string]: unknown };
};

export type Client = {
  /**
   * The API's answer to a GET.
   *
   * @param path with its query, as appended to the base URL
   * @throws CloudflareError for everything else: refusals, unusable answers, network, deadline
   */
  get(path: string, budget: Budget): Promise<Answer>;
  /** Whether the answers so far say that requests had better be sent one after the other. */
  nearLimit(): boolean;
  /** By how much our clock was ahead of the API's at the latest answer, in ms (± 1 s); null before the first. */
  clockSkewMs(): number | null;
};

export function createClient(options: ClientOptions): Client {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const { host } = new URL(baseUrl);
  const http = got.extend({
    method: "GET",
    headers: headersFor(options.credential),
    ...(options.outbound && { agent: options.outbound.agents }),
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: TIMEOUTS_MS,
  });
  let limitedUntilMs = 0;
  /** When an answer last asked to wait. */
  let limitedAtMs = 0;
  let nearLimit = false;
  let skewMs: number | null = null;

  async function get(path: string, budget: Budget): Promise<Answer> {
    let latest: CloudflareError | null = null;
    for (let attempt = 1; ; attempt += 1) {
      await waitForLimit(budget, latest);
      try {
        return await ask(path, budget);
      } catch (error) {
        if (budget.signal.aborted) throw stopped(budget.signal, latest);
        if (!(error instanceof CloudflareError) || !error.retryable || attempt === MAX_ATTEMPTS) throw error;
        latest = error;
        // Our own wait at the least: Cloudflare also sends `Retry-After: 0`.
        await wait(Math.max(error.retryAfterMs ?? 0, backoffMs(attempt, options.firstBackoffMs)), budget, error);
      }
    }
  }

  async function waitForLimit(budget: Budget, latest: CloudflareError | null): Promise<void> {
    const waitMs = limitedUntilMs - performance.now();
    if (waitMs <= 0) return;
    // A limit that would cost the whole poll is asked about once: it may be over, or have been nonsense.
    if (limitedUntilMs > budget.endsAtMs && limitedAtMs < budget.startsAtMs) return;
    const reason =
      "the rate limit of this user is used up, by whatever else uses it too: poll less often if this lasts";
    await wait(waitMs, budget, latest ?? new CloudflareError(withoutAnswer("rate_limit", reason)));
  }

  async function ask(path: string, budget: Budget): Promise<Answer> {
    const sentAtMs = performance.now();
    const received = await send(path, budget.signal);
    const { headers } = received;
    const now = options.clock.now();
    const apiNow = parseHttpDate(headers.date ?? "");
    // The header has whole seconds: half a second is its error on average.
    if (apiNow !== null) skewMs = now.getTime() - (apiNow + 500);
    const retryMs = retryAfterMs(headers["retry-after"], headers.date, now);
    noteLimits(received, retryMs ?? 0, sentAtMs, budget);
    return readAnswer(received, retryMs, options);
  }

  /** Answers may come in another order than they were given: a limit is lifted only by one that was asked for after it. */
  function noteLimits({ httpStatus, headers }: Received, retryMs: number, sentAtMs: number, budget: Budget): void {
    const ratelimit = header(headers.ratelimit);
    const throttled = httpStatus === 429;
    const nowMs = performance.now();
    const usedUpMs = rateLimitMs(ratelimit);
    // Whoever is told to wait holds up the others too, but only for as long as it waits itself.
    const throttledMs = throttled && nowMs + retryMs <= budget.endsAtMs ? retryMs : 0;
    const waitMs = Math.max(usedUpMs, throttledMs);
    const lifts = sentAtMs > limitedAtMs && (httpStatus < 400 || ratelimit !== undefined);
    limitedUntilMs = lifts ? nowMs + waitMs : Math.max(limitedUntilMs, nowMs + waitMs);
    if (waitMs > 0) limitedAtMs = nowMs;
    // A refusal counts until an answer says that there is room again.
    if (throttled || ratelimit !== undefined) nearLimit = throttled || isNearLimit(ratelimit);
  }

  /** As a stream, so that a body that is too large is left where it is. */
  async function send(path: string, signal: AbortSignal): Promise<Received> {
    const stream = http.stream(baseUrl + path, { signal });
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of stream) {
        bytes += chunk.length;
        if (bytes > options.maxPageBytes) break;
        chunks.push(chunk);
      }
    } catch (error) {
      throw unreached(host, error as Error, options.outbound?.proxyFault(error) ?? null);
    }
    if (bytes > options.maxPageBytes || stream.response === undefined) {
      const reason = `the answer is larger than ${options.maxPageBytes} bytes and was not read: check CLOUDFLARE_BASE_URL`;
      throw new CloudflareError(withoutAnswer("content", reason));
    }
    const { statusCode, headers } = stream.response;
    return { httpStatus: statusCode, headers, body: utf8.decode(Buffer.concat(chunks)) };
  }

  return { get, nearLimit: () => nearLimit, clockSkewMs: () => skewMs };
}

/** Sleeps, unless the wait would outlast the budget: then it is given up at once, for the reason that made us wait. */
async function wait(waitMs: number, budget: Budget, because: CloudflareError): Promise<void> {
  if (performance.now() + waitMs > budget.endsAtMs) {
    const seconds = Math.ceil(waitMs / 1000);
    throw withReason(
      because,
      `${because.shortfall.reason} (not tried again: a wait of ${seconds} s ends after the deadline)`,
    );
  }
  try {
    await sleep(waitMs, undefined, { signal: budget.signal });
  } catch {
    throw stopped(budget.signal, because);
  }
}

function headersFor(credential: Credential): Record<string, string> {
  const identity: Record<string, string> =
    credential.kind === "token"
      ? { authorization: `Bearer ${credential.token}` }
      : { "x-auth-email": credential.email, "x-auth-key": credential.key };
  return { ...identity, accept: "application/json", "user-agent": `invitewatch/${manifest.version}` };
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}

function readAnswer(
  received: Received,
  retryAfter: number | null,
  { mask, redact }: Pick<ClientOptions, "mask" | "redact">,
): Answer {
  const { httpStatus } = received;
  const cfRay = redact(oneLine(header(received.headers["cf-ray"]) ?? "", 64)) || null;
  const json = maskJson(parseJson(received.body), received.body, mask);
  const envelope = isObject(json) ? json : null;
  if (httpStatus >= 200 && httpStatus < 300 && envelope?.success === true) return { httpStatus, cfRay, envelope };
  const body = describe(received, json);
  throw refused({ httpStatus, cfRay, body, envelope, retryAfterMs: retryAfter }, redact);
}

/** The parsed text; undefined where it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(received: Received, json: unknown): string {
  const text = received.body.trimStart();
  if (text === "") return "an empty body instead of JSON";
  if (json === undefined && text.startsWith("<")) return "an HTML page instead of JSON";
  if (json === undefined && /^[[{]/.test(text)) return "JSON that is malformed or breaks off";
  if (json === undefined) return "a text instead of JSON";
  if (!isObject(json)) return "JSON that is no object";
  return json.success === false ? "success: false" : "JSON without success: true";
}
