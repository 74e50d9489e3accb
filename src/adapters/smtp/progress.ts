/**
 * Follows one connection through nodemailer's log: what is under way, what the server offers, and which answer ended it.
 *
 * With PIPELINING several commands wait for their answers; the first of them is what is under way.
 */
import type { DeliveryStage } from "../../app/ports.ts";
import { NOTHING_OFFERED, type Offer, offerOf } from "./offer.ts";

export type Progress = {
  /** For nodemailer, with `transactionLog`. */
  readonly logger: Readonly<Record<"trace" | "debug" | "info" | "warn" | "error" | "fatal", LogLine>>;
  /** A mail begins. @param sent called once all of it was sent, with the dot that ends it */
  begin(sent: () => void): void;
  /** What is being waited for. */
  stage(): DeliveryStage;
  /** The command that was last answered or waits for its answer, without what is secret of it; empty before the first. */
  command(): string;
  /** Whether a command still waits for its answer. */
  waiting(): boolean;
  /** Whether the whole mail was sent, with the dot that ends it. */
  sent(): boolean;
  /** What the server offered last. */
  offer(): Offer;
  /** The first answer in this mail that was not a yes. */
  refusal(): Refusal | null;
};

export type Refusal = { readonly stage: DeliveryStage; readonly answer: string };

/** Told of each answer, before nodemailer acts on it. */
export type Listener = (stage: DeliveryStage, answer: string) => void;

type LogLine = (fields: { readonly tnx?: string }, text?: string) => void;
type Command = { readonly stage: DeliveryStage; readonly text: string };

/** Which stage a command belongs to, and how much of it may be told; the lines of a login are no commands. */
const STAGES: readonly (readonly [RegExp, DeliveryStage])[] = [
  [/^(EHLO|HELO)\b.*/, "greeting"],
  [/^STARTTLS$/, "tls"],
  [/^AUTH \S+/, "login"],
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

export function createProgress(hear: Listener = () => {}): Progress {
  let asked: Command[] = [];
  let last: Command = { stage: "greeting", text: "" };
  let offer = NOTHING_OFFERED;
  let onSent: (() => void) | null = null;
  let sent = false;
  let refusal: Refusal | null = null;

  const ask = (text: string) => {
    for (const [pattern, stage] of STAGES) {
      const said = pattern.exec(text)?.[0];
      if (said !== undefined) return asked.push({ stage, text: said });
    }
    return asked.push(asked.at(-1) ?? last);
  };
  const take = (answer: string) => {
    last = asked.shift() ?? (last.stage === "data" ? { stage: "answer", text: "" } : last);
    if (last.text.startsWith("EHLO")) offer = /^2/.test(answer) ? offerOf(answer) : NOTHING_OFFERED;
    hear(last.stage, answer);
    if (refusal === null && YES[last.stage]?.test(answer) === false) refusal = { stage: last.stage, answer };
  };
  const listen: LogLine = ({ tnx }, text = "") => {
    if (tnx === "client") ask(text);
    if (tnx === "server") take(text);
    if (tnx === "message") {
      // From here on only the answer to the mail itself decides.
      sent = true;
      refusal = null;
      onSent?.();
    }
  };
  return {
    logger: { trace: listen, debug: listen, info: listen, warn: listen, error: listen, fatal: listen },
    begin(whenSent) {
      asked = [];
      last = { stage: "sender", text: "" };
      sent = false;
      refusal = null;
      onSent = whenSent;
    },
    stage: () => (sent ? "answer" : (asked[0] ?? last).stage),
    command: () => (asked[0] ?? last).text,
    waiting: () => asked.length > 0,
    sent: () => sent,
    offer: () => offer,
    refusal: () => refusal,
  };
}
