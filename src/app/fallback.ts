/** The second way out: what an alert that mail cannot carry is sent by. Adapters implement it. */

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

/** How one attempt ended. Texts are on one line, and free of secrets. */
export type FallbackOutcome =
  | { readonly kind: "accepted"; readonly response: string }
  /** For good: no retry can help. */
  | { readonly kind: "refused"; readonly error: string }
  /** Worth another try. */
  | { readonly kind: "failed"; readonly error: string };

export type FallbackChannel = {
  readonly name: "smtp" | "webhook";
  /** One attempt. Never rejects. */
  send(message: FallbackMessage, signal: AbortSignal): Promise<FallbackOutcome>;
};
