/** The second way out: what an alert that mail cannot carry is sent by. Adapters implement it. */
import type { DeliveryOutcome } from "../domain/delivery/attempt.ts";

/** An alert as mail has it, and as its owner knows it. A repeat has the same of everything. */
export type FallbackMessage = {
  readonly notificationId: string;
  /** The mail's own, without angle brackets. */
  readonly messageId: string;
  readonly recipient: string;
  readonly kind: string;
  /** Null where the mail is of several watches. */
  readonly watch: string | null;
  readonly subject: string;
  readonly text: string;
  /** When the mail became owed. */
  readonly createdAt: Date;
  /** The frozen mail. */
  readonly mime: Buffer;
};

export type FallbackChannel = {
  readonly name: "smtp" | "webhook";
  /** One attempt. Never rejects. What it refuses may yet be taken at a later one, since nothing else is left. */
  send(message: FallbackMessage, signal: AbortSignal): Promise<DeliveryOutcome>;
};
