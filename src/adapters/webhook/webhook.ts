/**
 * Posts an alert to the webhook that FALLBACK_WEBHOOK_URL names, signed.
 *
 * One attempt, one host, no redirects: when to try again is decided by whoever asks.
 */
import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import got from "got";
import manifest from "../../../package.json" with { type: "json" };
import type { FallbackChannel, FallbackMessage } from "../../app/fallback.ts";
import type { Clock, DeliveryOutcome } from "../../app/ports.ts";
import { maskedLine } from "../../domain/one-line.ts";
import { signedHeaders } from "./signature.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const TIMEOUT_MS = 30_000;
const LONGEST_TEXT = 16_000;
/** How much of an answer is read, and how much of that is kept. */
const MAX_ANSWER_BYTES = 4_096;
const LONGEST_ANSWER = 200;

/** Answers in the 4xx that mean a later attempt: the receiver was too slow or too busy. */
const PASSING = [408, 429];

const utf8 = new TextDecoder();

type Outbound = {
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  /** What is wrong with the proxy; null where the error is not the proxy's. */
  readonly proxyFault: (error: unknown) => string | null;
};

type WebhookOptions = {
  readonly redact: (text: string) => string;
  readonly clock: Clock;
  /** How the host is reached, perhaps through a proxy. */
  readonly outbound?: Outbound;
  /** Of one attempt from its beginning to the end of the answer; 30 s by default. */
  readonly timeoutMs?: number;
};

type Received = { readonly httpStatus: number; readonly body: string };

/** A channel to the webhook; nothing is connected yet. */
export function createWebhook(
  { url, secret }: { readonly url: string; readonly secret: string },
  { redact, clock, outbound, timeoutMs = TIMEOUT_MS }: WebhookOptions,
): FallbackChannel {
  const { host } = new URL(url);

  async function post(body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Received> {
    const stream = got.stream.post(url, {
      body,
      headers: { ...headers, "content-type": "application/json", "user-agent": `invitewatch/${manifest.version}` },
      ...(outbound && { agent: outbound.agents }),
      followRedirect: false,
      throwHttpErrors: false,
      retry: { limit: 0 },
      timeout: { lookup: CONNECT_TIMEOUT_MS, connect: CONNECT_TIMEOUT_MS, secureConnect: CONNECT_TIMEOUT_MS },
      signal,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of stream) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) break;
      }
    } catch (error) {
      // The status says it all: what else would have come is not needed.
      if (stream.response === undefined) throw error;
    }
    const answer = Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES);
    return {
      httpStatus: stream.response?.statusCode ?? 0,
      body: maskedLine(utf8.decode(answer), LONGEST_ANSWER, redact),
    };
  }

  return {
    name: "webhook",
    async send(message, signal) {
      const body = bodyOf(message);
      const headers = signedHeaders(message.messageId, clock.now(), body, secret);
      const timeout = AbortSignal.timeout(timeoutMs);
      const startedMs = performance.now();
      const exchange = (code: number | null) => ({
        stage: code === null ? ("connect" as const) : ("answer" as const),
        code,
        enhancedCode: null,
        queueId: null,
        durationMs: Math.round(performance.now() - startedMs),
      });
      try {
        const received = await post(body, headers, AbortSignal.any([signal, timeout]));
        return { ...exchange(received.httpStatus), ...verdictOn(received, host) };
      } catch (error) {
        const proxyFault = signal.aborted ? null : (outbound?.proxyFault(error) ?? null);
        const why =
          proxyFault === null
            ? `the webhook at ${host} ${whyUnanswered(error, { signal, timeout })}`
            : `the webhook at ${host} cannot be reached: ${proxyFault}`;
        return { ...exchange(null), kind: "failed", cause: "temporary", error: why };
      }
    },
  };
}

/** The same bytes each time, so that a receiver can tell a repeat. */
function bodyOf(message: FallbackMessage): string {
  const { subject, kind, watch, recipient, notificationId, messageId } = message;
  const isLong = message.text.length > LONGEST_TEXT;
  const text = isLong ? `${message.text.slice(0, LONGEST_TEXT).toWellFormed()}\n(cut here)` : message.text;
  return JSON.stringify({
    type: "invitewatch.alert",
    timestamp: message.createdAt.toISOString(),
    data: { subject, text, kind, watch, recipient, notificationId, messageId },
  });
}

type Verdict =
  | Pick<Extract<DeliveryOutcome, { kind: "accepted" }>, "kind" | "response">
  | Pick<Extract<DeliveryOutcome, { kind: "refused" }>, "kind" | "what" | "error">
  | Pick<Extract<DeliveryOutcome, { kind: "failed" }>, "kind" | "cause" | "error">;

function verdictOn({ httpStatus, body }: Received, host: string): Verdict {
  const answer = body === "" ? `HTTP ${httpStatus}` : `HTTP ${httpStatus}: ${body}`;
  if (httpStatus >= 200 && httpStatus < 300) return { kind: "accepted", response: answer };
  if (httpStatus >= 400 && httpStatus < 500 && !PASSING.includes(httpStatus)) {
    return { kind: "refused", what: "message", error: `the webhook at ${host} refuses the alert with ${answer}` };
  }
  const advice = httpStatus >= 300 && httpStatus < 400 ? ", a redirect, which is not followed" : "";
  const error = `the webhook at ${host} did not take the alert: ${answer}${advice}`;
  return { kind: "failed", cause: "temporary", error };
}

function whyUnanswered(
  error: unknown,
  { signal, timeout }: { readonly signal: AbortSignal; readonly timeout: AbortSignal },
): string {
  if (signal.aborted) return "was not waited for: the attempt was stopped";
  if (timeout.aborted) return "did not answer in time";
  const code = error instanceof Error && "code" in error ? String(error.code) : "no reason given";
  return `cannot be reached or does not answer (${code})`;
}
