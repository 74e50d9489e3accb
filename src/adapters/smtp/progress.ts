/**
 * Follows one connection through nodemailer's log: what is under way, and which answer ended it.
 *
 * With PIPELINING several commands wait for their answers; the first of them is what is under way.
 */
import type { DeliveryStage } from "../../app/ports.ts";

export type Progress = {
  /** For nodemailer, with `transactionLog`. */
  readonly logger: Readonly<Record<"trace" | "debug" | "info" | "warn" | "error" | "fatal", LogLine>>;
  /** A mail begins. */
  begin(): void;
  /** What is being waited for. */
  stage(): DeliveryStage;
  /** Whether a command still waits for its answer. */
  waiting(): boolean;
  /** Whether the whole mail was sent, with the dot that ends it. */
  sent(): boolean;
  /** The first answer in this mail that was not a yes. */
  refusal(): Refusal | null;
};

export type Refusal = { readonly stage: DeliveryStage; readonly answer: string };

type LogLine = (fields: { readonly tnx?: string }, text?: string) => void;

/** Which stage a command belongs to; the lines of a login are no commands. */
const STAGES: readonly (readonly [RegExp, DeliveryStage])[] = [
  [/^(EHLO|HELO)\b/, "greeting"],
  [/^STARTTLS$/, "tls"],
  [/^AUTH\b/, "login"],
  [/^MAIL FROM:/, "sender"],
  [/^RCPT TO:/, "recipient"],
  [/^DATA$/, "data"],
];

/** What a yes begins with, where it is looked for; before a mail nodemailer judges the answers. */
const YES: Partial<Record<DeliveryStage, RegExp>> = {
  sender: /^2\d\d(?:[ -]|$)/,
  recipient: /^2\d\d(?:[ -]|$)/,
  data: /^[23]\d\d(?:[ -]|$)/,
  answer: /^2\d\d(?:[ -]|$)/,
};

export function createProgress(): Progress {
  let asked: DeliveryStage[] = [];
  let last: DeliveryStage = "greeting";
  let sent = false;
  let refusal: Refusal | null = null;

  const ask = (command: string) => asked.push(STAGES.find(([pattern]) => pattern.test(command))?.[1] ?? last);
  const take = (answer: string) => {
    last = asked.shift() ?? (last === "data" ? "answer" : last);
    if (refusal === null && YES[last]?.test(answer) === false) refusal = { stage: last, answer };
  };
  const listen: LogLine = ({ tnx }, text = "") => {
    if (tnx === "client") ask(text);
    if (tnx === "server") take(text);
    if (tnx === "message") {
      // From here on only the answer to the mail itself decides.
      sent = true;
      refusal = null;
    }
  };
  return {
    logger: { trace: listen, debug: listen, info: listen, warn: listen, error: listen, fatal: listen },
    begin() {
      asked = [];
      last = "sender";
      sent = false;
      refusal = null;
    },
    stage: () => (sent ? "answer" : (asked[0] ?? last)),
    waiting: () => asked.length > 0,
    sent: () => sent,
    refusal: () => refusal,
  };
}
