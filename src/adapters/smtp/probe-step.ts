/** What is reported of a step on a mail's way. */

export type ProbeStage = "DNS" | "connect" | "greeting" | "TLS" | "login" | "MAIL FROM" | "RCPT TO" | "DATA" | "answer";

/** What one step came to: what was found there, or what is wrong and what to do. */
export type ProbeStep = {
  readonly stage: ProbeStage;
  readonly ok: boolean;
  /** Free of credentials and of line breaks. */
  readonly text: string;
  /** Whom the server's answer is about; null where it is about all. */
  readonly recipient: string | null;
};

export type Tell = (stage: ProbeStage, ok: boolean, text: string, recipient?: string) => void;
