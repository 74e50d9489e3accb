/** Follows the SMTP dialogue through nodemailer's log, and tells each answer when it comes. */
import { adviceFor } from "./probe-advice.ts";
import type { ProbeStage, Tell } from "./probe-step.ts";

export type Dialogue = {
  /** For nodemailer, with `transactionLog`. */
  readonly logger: Readonly<Record<"trace" | "debug" | "info" | "warn" | "error" | "fatal", LogLine>>;
  /** What is being waited for. */
  stage(): ProbeStage;
  /** How the login is made; null before it. */
  mechanism(): string | null;
  /** Whether an answer was told after which nothing more can come. */
  refused(): boolean;
  /** Those for whom the server would take the mail. */
  accepted(): readonly string[];
};

type LogLine = (fields: { readonly tnx?: string }, text?: string) => void;

type Parties = {
  readonly recipients: readonly string[];
  readonly relay: string;
  /** Called before each answer is looked at. */
  readonly beforeAnswer: () => void;
  readonly tell: Tell;
};

/** Which stage a command belongs to; the lines of a login are no commands. */
const STAGES: readonly (readonly [RegExp, ProbeStage])[] = [
  [/^(EHLO|HELO)\b/, "greeting"],
  [/^STARTTLS$/, "TLS"],
  [/^AUTH\b/, "login"],
  [/^MAIL FROM:/, "MAIL FROM"],
  [/^RCPT TO:/, "RCPT TO"],
  [/^DATA$/, "DATA"],
];

export function createDialogue({ recipients, relay, beforeAnswer, tell }: Parties): Dialogue {
  /** Stages of the commands without an answer: with PIPELINING there are several. */
  const asked: ProbeStage[] = [];
  const unanswered = [...recipients];
  const accepted: string[] = [];
  let last: ProbeStage | null = null;
  let mechanism: string | null = null;
  let refused = false;

  const ask = (command: string) => {
    const stage = STAGES.find(([pattern]) => pattern.test(command))?.[1];
    if (stage === "login") mechanism = command.split(" ")[1] ?? null;
    asked.push(stage ?? last ?? "greeting");
  };
  const tellAnswer = (stage: ProbeStage, answer: string, recipient?: string) => {
    const ok = /^[23]/.test(answer);
    tell(stage, ok, ok ? answer : adviceFor(stage, { response: answer }, relay), recipient);
    return ok;
  };
  const answerRecipient = (answer: string) => {
    const recipient = unanswered.shift() ?? "";
    if (tellAnswer("RCPT TO", answer, recipient)) accepted.push(recipient);
    refused = unanswered.length === 0 && accepted.length === 0;
  };
  const take = (answer: string) => {
    beforeAnswer();
    const greeting = last === null;
    last = asked.shift() ?? (greeting ? "greeting" : "answer");
    // After a refusal the answers to what was sent along say nothing new.
    if (refused) return;
    if (last === "RCPT TO") answerRecipient(answer);
    else if (greeting || last === "MAIL FROM" || last === "DATA" || last === "answer") {
      refused = !tellAnswer(last, answer);
    }
  };
  const listen: LogLine = ({ tnx }, text = "") => {
    if (tnx === "client") ask(text);
    if (tnx === "server") take(text);
  };
  return {
    logger: { trace: listen, debug: listen, info: listen, warn: listen, error: listen, fatal: listen },
    stage: () => asked[0] ?? (last === "DATA" ? "answer" : (last ?? "greeting")),
    mechanism: () => mechanism,
    refused: () => refused,
    accepted: () => accepted,
  };
}
