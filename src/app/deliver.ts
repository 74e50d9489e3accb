/**
 * One attempt to deliver one mail: let it through, render once, freeze, send, write the receipt.
 *
 * The bytes are kept before the first attempt, so that every attempt sends the same ones.
 */

import type { HoldCause } from "../domain/hold.ts";
import { releaseOf } from "../domain/release.ts";
import { textOfComposed } from "../mail/composed-text.ts";
import type { MailInput } from "../mail/model.ts";
import { renderMail } from "../mail/render.ts";
import type { Attempt, DeliverPorts, DeliveryJob, MailSettings } from "./delivery-ports.ts";
import type { FallbackMessage } from "./fallback.ts";
import { conclude } from "./receipt.ts";
import type { Attempted, Beginning, OwedMail, Released, Way } from "./store.ts";

/** A second way out has so long. */
const FALLBACK_DEADLINE_MS = 60_000;

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
  const done = await transport.inTurn(async () => {
    const attempts = await attempt({ owed, way, made }, settings, ports);
    // What went wrong may concern the mails that wait for their turn; a receipt need not keep them waiting.
    const last = attempts.at(-1);
    return last === undefined || last.outcome.kind === "accepted" ? attempts : conclude(attempts, { owed, way }, ports);
  });
  if ("kind" in done) return done;
  if (done.length > 0) return conclude(done, { owed, way }, ports);
  if (!needsWellRelay(way)) return { kind: "idle" };
  // It was not begun because the relay is down, or was and is well again: the mail waits for it now, or goes. Else
  // somebody else has begun: that one's attempt is not taken over.
  const { downSince } = await outbox.relay();
  return deliver({ ...job, takeOver: job.takeOver === true && downSince !== null }, settings, ports);
}

type Made = Pick<Beginning, "subject" | "mime">;
type Sending = { readonly owed: OwedMail; readonly way: Way };

/**
 * Sends what is kept of the mail, once that is written down: in one transaction with the relay, or else by each of the
 * other ways, until one takes it.
 *
 * @returns each attempt; none where the mail is no longer ours to send, or the relay went down before its turn came
 */
async function attempt(
  { owed, way, made }: Sending & { readonly made: Made },
  settings: MailSettings,
  ports: DeliverPorts,
): Promise<readonly Attempted[]> {
  const { outbox, transport, clock } = ports;
  const { id, attempts, recipient: to } = owed.notification;
  const startedAt = clock.now();
  const beginning = { id, attempts, at: startedAt, onlyIfWell: needsWellRelay(way), ...made };
  const mime = await outbox.begin(beginning);
  if (mime === null) return [];
  if (way.kind === "fallback") return sendOtherwise(messageOf(owed, { subject: made.subject, mime }), beginning, ports);
  const number = attempts + 1;
  return [{ number, startedAt, way: "smtp", outcome: await transport.send(mime, { from: settings.from, to }) }];
}

/** Whether it goes the way of every mail, and not to find out whether the relay is well again. */
function needsWellRelay(way: Way): boolean {
  return way.kind === "relay" && !way.probe;
}

/** @param first how the first of the attempts was begun; each further one is begun here */
async function sendOtherwise(
  message: FallbackMessage,
  first: Beginning,
  { outbox, fallbacks, clock }: DeliverPorts,
): Promise<readonly Attempted[]> {
  const attempts: Attempted[] = [];
  for (const channel of fallbacks) {
    const startedAt = clock.now();
    const before = first.attempts + attempts.length;
    if (attempts.length > 0 && (await outbox.begin({ ...first, attempts: before, at: startedAt })) === null) break;
    const outcome = await channel.send(message, AbortSignal.timeout(FALLBACK_DEADLINE_MS));
    attempts.push({ number: before + 1, startedAt, way: `fallback-${channel.name}`, outcome });
    if (outcome.kind === "accepted") break;
  }
  return attempts;
}

/** Says what the kept bytes say: rendered anew, the text would go by the time of day and by what is known by now. */
function messageOf({ notification }: OwedMail, { subject, mime }: Made): FallbackMessage {
  const { id: notificationId, messageId, kind, watch, recipient, createdAt } = notification;
  const text = textOfComposed(mime);
  return { notificationId, messageId, kind, watch, recipient, createdAt, subject, text, mime };
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
