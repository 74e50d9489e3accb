/** Failures that the stand-in was told to show in place of its answers, and how each looks on the wire. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "./cloudflare-answers.ts";

/**
 * How requests go wrong. `stall` never answers; `stall-in-body` sends the headers and half of the genuine
 * body and then nothing; `cut` drops the connection there; `drop` drops it without a word.
 */
export type Misbehaviour =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "stall" }
  | { readonly kind: "stall-in-body" }
  | { readonly kind: "cut" }
  | { readonly kind: "drop" }
  | { readonly kind: "custom"; readonly respond: (request: IncomingMessage, response: ServerResponse) => void };

export type FailurePlan = Misbehaviour & {
  /** Text that the method and URL of a request must hold ("page=2"); every request by default. */
  readonly match?: string;
  /** How many matching requests fail; all until the failures are cleared by default. */
  readonly times?: number;
};

export type Failures = {
  add(plan: FailurePlan): void;
  clear(): void;
  /** The failure for this request, counted as shown; null where it is to be answered properly. */
  next(request: IncomingMessage): Misbehaviour | null;
};

/** No failures at first; of several plans that match, the one added first is shown until it is used up. */
export function createFailures(): Failures {
  let plans: { readonly plan: FailurePlan; left: number }[] = [];
  return {
    add(plan) {
      plans.push({ plan, left: plan.times ?? Number.POSITIVE_INFINITY });
    },
    clear() {
      plans = [];
    },
    next(request) {
      const line = `${request.method} ${request.url}`;
      const entry = plans.find(({ plan }) => line.includes(plan.match ?? ""));
      if (entry === undefined) return null;
      entry.left -= 1;
      plans = plans.filter(({ left }) => left > 0);
      return entry.plan;
    },
  };
}

/** The answer on the wire, followed by the end of the response. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  response.end(writeHead(response, answer));
}

/** The headers and the first half of the body; what comes after is the caller's affair. */
export function sendHalf(response: ServerResponse, answer: Answer, then: () => void): void {
  const body = writeHead(response, answer);
  response.write(body.subarray(0, Math.floor(body.length / 2)), then);
}

function writeHead(response: ServerResponse, { status, body, headers }: Answer): Buffer {
  const type = typeof body === "string" ? "text/html; charset=UTF-8" : "application/json";
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  response.writeHead(status, { "content-type": type, "content-length": bytes.length, ...headers });
  return bytes;
}
