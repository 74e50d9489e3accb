/** How the work on a connection to the relay failed. */
import type { DeliveryStage } from "../../app/ports.ts";
import type { SmtpError } from "./answer.ts";
import { NOTHING_OFFERED, type Offer } from "./offer.ts";

type Circumstances = Pick<SessionFault, "stage" | "answer"> &
  Partial<Pick<SessionFault, "waiting" | "command" | "offer">>;

export class SessionFault extends Error {
  readonly stage: DeliveryStage;
  /** The server's last word on it; null where it said nothing. */
  readonly answer: string | null;
  /** Whether a command was waiting for its answer. */
  readonly waiting: boolean;
  /** The last command, without what is secret of it. */
  readonly command: string;
  /** What the server had offered. */
  readonly offer: Offer;
  /** When, on the clock of `performance`. */
  readonly clockMs = performance.now();
  declare readonly cause: SmtpError;

  constructor(cause: SmtpError, circumstances: Circumstances) {
    super(cause.message, { cause });
    this.stage = circumstances.stage;
    this.answer = circumstances.answer;
    this.waiting = circumstances.waiting ?? false;
    this.command = circumstances.command ?? "";
    this.offer = circumstances.offer ?? NOTHING_OFFERED;
  }
}

const STOPPED = "ESTOPPED";

/** What ends the work when the program is told to stop. */
export function stoppedError(): SmtpError {
  return Object.assign(new Error("invitewatch was told to stop"), { code: STOPPED });
}

/** Whether it is we who ended it. */
export function wasStopped({ cause }: Pick<SessionFault, "cause">): boolean {
  return cause.code === STOPPED;
}
