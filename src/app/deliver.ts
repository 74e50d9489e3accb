/**
 * One attempt to deliver one mail: let it through, render once, freeze, send, write the receipt.
 *
 * The bytes are kept before the first attempt, so that every attempt sends the same ones.
 */

import type { HoldCause } from "../domain/hold.ts";
import type { Notification } from "../domain/notification.ts";
import type { QuietHours } from "../domain/quiet-hours.ts";
import {
  afterContact,
  afterFailure,
  isRelayTrouble,
  type Leaving,
  leavingOf,
  type RelayState,
  wayOut,
} from "../domain/relay.ts";
import { releaseOf } from "../domain/release.ts";
import { nextAttemptAt } from "../domain/retry.ts";
import { renderMail } from "../mail/render.ts";
import type { MailInput } from "../mail/view.ts";
import type { FallbackChannel, FallbackMessage } from "./fallback.ts";
import type { Clock, DeliveryOutcome, MailTransport } from "./ports.ts";
import type { Attempted, Beginning, OutboxStore, OwedMail, Receipt, Released, Way } from "./store.ts";

/** A second way out has so long. */
const FALLBACK_DEADLINE_MS = 60_000;
/** Another mail has reached the relay meanwhile: this one tries it soon. */
const AGAIN_AFTER_MS = 15_000;

export type DeliverPorts = {
  readonly outbox: OutboxStore;
  readonly transport: MailTransport;
  /** Further ways out, tried in this order; empty where there is none. */
  readonly fallbacks: readonly FallbackChannel[];
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  readonly newId: () => string;
};

export type DeliveryJob = {
  readonly notificationId: string;
  /** Whether an earlier run of the same job came to no end: a mail that it was sending is sent again. */
  readonly takeOver?: boolean;
};

/** How mails are made and when they may go: the same for all watches but for what is asked by name. */
export type MailSettings = {
  readonly from: string;
  readonly publicUrl: string | null;
  /** Zone of the times shown; of a mail of several watches where the name is null. */
  readonly timezoneOf: (watch: string | null) => string;
  readonly quietHoursOf: (watch: string) => QuietHours | null;
  /** Mails per recipient and hour. */
  readonly floodCap: number;
  /** The stable Message-ID of a notification, without angle brackets. */
  readonly messageId: (notificationId: string, recipient: string) => string;
};

/** What came of a mail whose time had come: it was attempted, or there is a reason why not. */
export type Attempt =
  | Exclude<Released, { readonly kind: "send" }>
  | {
      readonly kind: "attempted";
      readonly notification: Notification;
      readonly way: Attempted["way"];
      readonly outcome: DeliveryOutcome;
      readonly receipt: Receipt;
    };

/** Tries the mail, if it is owed and its time has come, and writes the receipt. Rejects only where the database fails. */
export async function deliver(job: DeliveryJob, settings: MailSettings, ports: DeliverPorts): Promise<Attempt> {
  const { outbox, transport } = ports;
  const released = await release(job, settings, ports);
  if (released.kind !== "send") return released;
  const { owed, way } = released;
  const made =
    owed.mime === null
      ? await make(owed, settings, ports)
      : { subject: owed.notification.subject ?? "", mime: owed.mime };
  const tried = await transport.inTurn(async () => {
    const attempted = await attempt({ owed, way, made }, settings, ports);
    // What went wrong may concern the mails that wait for their turn; a receipt need not keep them waiting.
    const concerns = attempted !== null && attempted.outcome.kind !== "accepted";
    return concerns ? conclude(attempted, { owed, way }, ports) : attempted;
  });
  if (tried !== null) return "receipt" in tried ? tried : conclude(tried, { owed, way }, ports);
  const wasWell = way.kind === "relay" && !way.probe;
  if (wasWell && (await outbox.relay()).downSince !== null) return deliver(job, settings, ports);
  return { kind: "idle" };
}

/**
 * Sends what is kept of the mail, once that is written down.
 *
 * @returns null where the mail is no longer ours to send, or the relay went down while it waited for its turn
 */
async function attempt(
  { owed, way, made }: Sending & { readonly made: Made },
  settings: MailSettings,
  ports: DeliverPorts,
): Promise<Attempted | null> {
  const { id, attempts } = owed.notification;
  const startedAt = ports.clock.now();
  const onlyIfWell = way.kind === "relay" && !way.probe;
  const mime = await ports.outbox.begin({ id, attempts, at: startedAt, onlyIfWell, ...made });
  if (mime === null) return null;

  const sent = await send({ owed, way, mime }, settings, ports);
  return { startedAt, ...sent };
}

/** Writes the receipt, and what the attempt says of the relay. */
async function conclude(attempted: Attempted, { owed, way }: Sending, ports: DeliverPorts) {
  const { notification } = owed;
  const relay = await relayAfter(attempted.outcome, way, ports);
  const receipt = await receiptOf(attempted, owed, relay, ports);
  await ports.outbox.receive(notification.id, receipt, attempted, relay);
  return { kind: "attempted", notification, way: attempted.way, outcome: attempted.outcome, receipt } as const;
}

/** What becomes of the mail, now that its time has come. */
function release(
  { notificationId, takeOver = false }: DeliveryJob,
  settings: MailSettings,
  ports: DeliverPorts,
): Promise<Released> {
  const now = ports.clock.now();
  const { quietHoursOf, floodCap, messageId } = settings;
  return ports.outbox.release(notificationId, now, {
    takeOver,
    hasFallback: ports.fallbacks.length > 0,
    decide: (question) => releaseOf({ ...question, quietHoursOf, floodCap, now }),
    summary: (recipient) => {
      const summaryId = ports.newId();
      return { id: summaryId, messageId: messageId(summaryId, recipient) };
    },
  });
}

type Made = Pick<Beginning, "subject" | "mime">;
type Sending = { readonly owed: OwedMail; readonly way: Way };
type Sent = Pick<Attempted, "way" | "outcome">;

/** One transaction with the relay; or else one attempt by each of the other ways, until one takes it. */
async function send(
  { owed, mime, way }: Sending & { readonly mime: Buffer },
  settings: MailSettings,
  ports: DeliverPorts,
): Promise<Sent> {
  const { transport, fallbacks, clock } = ports;
  const { id: notificationId, messageId, kind, watch, recipient, createdAt } = owed.notification;
  if (way.kind === "relay") {
    return { way: "smtp", outcome: await transport.send(mime, { from: settings.from, to: recipient }) };
  }
  const { subject, text } = renderOwed(owed, settings, clock.now());
  const message = { notificationId, messageId, kind, watch, recipient, createdAt, subject, text, mime };
  const errors: string[] = [];
  for (const channel of fallbacks) {
    const sent = await sendBy(channel, message, clock);
    if (sent.outcome.kind === "accepted") return sent;
    errors.push(`${channel.name}: ${sent.outcome.error}`);
    if (errors.length === fallbacks.length) return { ...sent, outcome: { ...sent.outcome, error: errors.join("; ") } };
  }
  throw new Error("there is no second way out; it should not have been chosen");
}

async function sendBy(channel: FallbackChannel, message: FallbackMessage, clock: Clock): Promise<Sent> {
  const startedMs = clock.now().getTime();
  const said = await channel.send(message, AbortSignal.timeout(FALLBACK_DEADLINE_MS));
  const exchange = { stage: "answer", code: null, enhancedCode: null, queueId: null } as const;
  const durationMs = clock.now().getTime() - startedMs;
  const outcome: DeliveryOutcome =
    said.kind === "accepted"
      ? { ...exchange, ...said, durationMs }
      : { ...exchange, kind: "failed", cause: "temporary", error: said.error, durationMs };
  return { way: `fallback-${channel.name}`, outcome };
}

/** What the attempt says of the relay; null where it says nothing new. Only a probe finds out that it is well again. */
async function relayAfter(
  outcome: DeliveryOutcome,
  way: Way,
  { outbox, clock, chance }: DeliverPorts,
): Promise<RelayState | null> {
  if (way.kind === "fallback") return null;
  const inTrouble = outcome.kind === "failed" && isRelayTrouble(outcome.cause);
  if (!inTrouble && !way.probe) return null;
  const state = await outbox.relay();
  if (!inTrouble) return afterContact(state, clock.now());
  // Of several mails that were under way when it went down, the first counts.
  if (!way.probe && state.downSince !== null) return null;
  return afterFailure(state, outcome.error, clock.now(), chance());
}

const HELD_BECAUSE: Readonly<Record<HoldCause, string>> = {
  silence: "a silence",
  flapping: "a status that went back and forth",
  "quiet-hours": "quiet hours",
  flood: "the limit of mails per hour",
  outage: "a mail server that could not be reached",
};

/** The mail as rendered from what is owed. */
export function renderOwed(owed: OwedMail, settings: MailSettings, now: Date) {
  const { notification, events, invites, chainHead, heldBy, earlier } = owed;
  const input: MailInput = {
    watch: notification.watch,
    kind: notification.kind as MailInput["kind"],
    timezone: settings.timezoneOf(notification.watch),
    now,
    recipient: notification.recipient,
    from: settings.from,
    events,
    invites,
    chainHead,
    publicUrl: settings.publicUrl,
    heldBecause: heldBy.map((cause) => HELD_BECAUSE[cause]),
    earlier,
  };
  return renderMail(input);
}

async function make(owed: OwedMail, settings: MailSettings, { transport, clock }: DeliverPorts): Promise<Made> {
  const { messageId, recipient } = owed.notification;
  // No mail tells a time more exactly, so that all that is written in one second is alike and made once.
  const now = new Date(Math.floor(clock.now().getTime() / 1_000) * 1_000);
  const rendered = renderOwed(owed, settings, now);
  const mime = await transport.compose({ ...rendered, messageId, from: settings.from, to: recipient, date: now });
  return { subject: rendered.subject, mime };
}

async function receiptOf(
  { way, outcome }: Sent,
  { notification, events }: OwedMail,
  relayNow: RelayState | null,
  { outbox, clock, chance, fallbacks }: DeliverPorts,
): Promise<Receipt> {
  const at = clock.now();
  if (outcome.kind === "accepted") return { state: "delivered", at, response: outcome.response };
  const { error } = outcome;
  if (outcome.kind === "refused") {
    return { state: "dead", at, error, reason: `the mail server refused the ${outcome.what} for good` };
  }
  const byFallback = way !== "smtp";
  const leaving = leavingOf(notification, events, !byFallback && fallbacks.length > 0);
  const next =
    byFallback || isRelayTrouble(outcome.cause)
      ? behindRelay(relayNow ?? (await outbox.relay()), leaving, at)
      : nextAttemptAt(notification.attempts + 1, at, leaving, chance());
  if (next === null) return { state: "dead", at, error, reason: "no attempt succeeded within five days" };
  return { state: "pending", error, nextAttemptAt: next };
}

/** When a mail that could not leave may try again, by whatever way; null where its time is over. */
function behindRelay(relay: RelayState, leaving: Leaving, at: Date): Date | null {
  const way = wayOut(relay, leaving, at);
  switch (way.kind) {
    case "give up":
      return null;
    case "wait":
      return way.until;
    case "fallback":
      return at;
    case "relay":
      return new Date(at.getTime() + AGAIN_AFTER_MS);
  }
}
