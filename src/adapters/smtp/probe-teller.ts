/** Tells how a mail goes its way to the relay, each step as it ends, from what is heard of the dialogue. */
import type { Socket } from "node:net";
import type { DeliveryStage } from "../../app/ports.ts";
import type { Line, Watcher } from "./dial.ts";
import { SessionFault } from "./fault.ts";
import type { SmtpOptions } from "./options.ts";
import { explain, PROBE_STAGES, type Relay } from "./outcome.ts";
import type { ProbeStage, Tell } from "./probe-step.ts";
import { describePlain, describeTls, secureSocket } from "./probe-tls.ts";
import { tlsAdvice } from "./tls-advice.ts";

export type Teller = Watcher & {
  loggedIn(line: Line): void;
  /** Tells what ended it, unless an answer that was told did. */
  failed(fault: unknown): void;
  /** Those for whom the server would take the mail. */
  accepted(): readonly string[];
};

/** Stages whose answers are told; what comes of TLS and of the login is told when it is known. */
const TOLD: readonly DeliveryStage[] = ["sender", "recipient", "data", "answer"];

export function createTeller(recipients: readonly string[], options: SmtpOptions, relay: Relay, tell: Tell): Teller {
  const startedAt = performance.now();
  const unanswered = [...recipients];
  const accepted: string[] = [];
  const told = new Set<ProbeStage>();
  let refused = false;

  const tellOnce = (stage: ProbeStage, ok: boolean, text: string) => {
    if (!told.has(stage)) tell(stage, ok, text);
    told.add(stage);
  };
  const tellTls = (socket: Socket) => {
    const tls = secureSocket(socket);
    if (tls === null) return tellOnce("TLS", true, describePlain(options));
    tellOnce("TLS", tls.authorized || options.tlsMode === "opportunistic", describeTls(tls, options.host));
  };
  const tellAnswer = (stage: DeliveryStage, answer: string, recipient?: string) => {
    const ok = /^[23]/.test(answer);
    const text = ok ? answer : explain(new SessionFault(new Error(answer), { stage, answer }), relay);
    tell(PROBE_STAGES[stage], ok, text, recipient);
    return ok;
  };
  const answerRecipient = (answer: string) => {
    const recipient = unanswered.shift() ?? "";
    if (tellAnswer("recipient", answer, recipient)) accepted.push(recipient);
    refused = unanswered.length === 0 && accepted.length === 0;
  };
  return {
    connected({ remoteAddress, remotePort }) {
      const tookMs = Math.round(performance.now() - startedAt);
      tellOnce("connect", true, `${remoteAddress} port ${remotePort}, in ${tookMs} ms`);
    },
    answered(socket, stage, answer) {
      if (secureSocket(socket) !== null) tellTls(socket);
      // After a refusal the answers to what was sent along say nothing new.
      if (refused) return;
      if (stage === "greeting" && /^2/.test(answer)) tellOnce("greeting", true, answer);
      if (stage === "recipient") answerRecipient(answer);
      else if (TOLD.includes(stage)) refused = !tellAnswer(stage, answer);
    },
    greeted(socket) {
      tellTls(socket);
      const tls = secureSocket(socket);
      if (tls === null || tls.authorized || options.tlsMode === "opportunistic") return;
      refused = true;
      throw new SessionFault(new Error("the certificate is not trusted"), { stage: "tls", answer: null });
    },
    unsecured(fault) {
      tellOnce("TLS", true, `none: ${tlsAdvice(fault, options)}; tls=opportunistic goes on without`);
    },
    loggedIn({ connection, mechanism }) {
      const text = mechanism === null ? "none: SMTP_URL has no user" : `${mechanism}: ${connection.lastServerResponse}`;
      tell("login", true, text);
    },
    failed(fault) {
      if (refused || !(fault instanceof SessionFault)) return;
      tell(PROBE_STAGES[fault.stage], false, explain(fault, relay));
    },
    accepted: () => accepted,
  };
}
