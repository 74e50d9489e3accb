/**
 * The digest: one mail per recipient by the calendar, also when all is quiet, so that its absence is noticed.
 *
 * It is rendered and frozen where it is made: it tells of that moment, whenever it is delivered.
 */

import type { Notification } from "../domain/notification.ts";
import { renderDigest } from "../mail/digest.ts";
import type { DigestInput } from "../mail/digest-model.ts";
import { composeOne } from "./composed-mail.ts";
import type { MailSettings } from "./delivery/mail-settings.ts";
import type { Clock, MailTransport } from "./ports.ts";

/** What a digest says of the outbox. */
export type DigestMail = DigestInput["mail"];
/** What a digest says of one watch. */
export type DigestStanding = DigestInput["watches"][number];

export type DigestStore = {
  /**
   * When the newest digest was made, to this recipient or where it is null to anybody; null where none was. One that was
   * made in what is now the future does not count.
   */
  lastDigestAt(recipient: string | null, now: Date): Promise<Date | null>;
  /** When the first sync of any of the watches began; null where there was none. */
  firstSyncAt(watches: readonly string[]): Promise<Date | null>;
  /** How the watches that exist stand, and what the period [since, now) brought, in the order of the names. */
  readWatches(names: readonly string[], since: Date, now: Date): Promise<readonly DigestStanding[]>;
  readMail(since: Date, now: Date): Promise<DigestMail>;
  /** Adds the mails with their bytes and jobs, in one transaction; those that are there already are left alone. */
  owe(digests: readonly { readonly notification: Notification; readonly mime: Buffer }[]): Promise<void>;
};

export type DigestPlan = {
  /** The watches that each recipient is told of. */
  readonly watchesOf: ReadonlyMap<string, readonly string[]>;
  /** Id of the notification for the recipient: the same when the same digest is made again. */
  readonly idFor: (recipient: string) => string;
};

export type DigestPorts = {
  readonly digests: DigestStore;
  readonly transport: Pick<MailTransport, "compose">;
  readonly clock: Clock;
};

/** The first digest of a recipient looks back so far, or to the first sync. */
const FIRST_PERIOD_MS = 7 * 86_400_000;

/** Makes the digest of every recipient, and answers with what is then owed. */
export async function makeDigests(
  plan: DigestPlan,
  settings: MailSettings,
  { digests, transport, clock }: DigestPorts,
): Promise<readonly Notification[]> {
  const now = clock.now();
  const made: { notification: Notification; mime: Buffer }[] = [];
  for (const [recipient, watches] of plan.watchesOf) {
    const since = (await digests.lastDigestAt(recipient, now)) ?? (await firstSince(watches, digests, now));
    const rendered = renderDigest({
      recipient,
      from: settings.from,
      timezone: settings.timezoneOf(watches.length === 1 ? (watches[0] ?? null) : null),
      now,
      since,
      watches: await digests.readWatches(watches, since, now),
      mail: await digests.readMail(since, now),
    });
    const id = plan.idFor(recipient);
    const messageId = settings.messageId(id, recipient);
    const message = { ...rendered, messageId, from: settings.from, to: recipient, date: now };
    const mime = await composeOne(message, transport);
    made.push({ notification: digestRow({ id, recipient, messageId, subject: rendered.subject, now }), mime });
  }
  await digests.owe(made);
  return made.map(({ notification }) => notification);
}

async function firstSince(watches: readonly string[], digests: DigestStore, now: Date): Promise<Date> {
  const earliest = new Date(now.getTime() - FIRST_PERIOD_MS);
  const firstSyncAt = await digests.firstSyncAt(watches);
  return firstSyncAt !== null && firstSyncAt > earliest ? firstSyncAt : earliest;
}

type Row = Pick<Notification, "id" | "recipient" | "messageId" | "subject"> & { readonly now: Date };

function digestRow({ now, ...row }: Row): Notification {
  return {
    ...row,
    watch: null,
    syncId: null,
    kind: "digest",
    state: "pending",
    reason: null,
    heldBy: null,
    rules: ["digest"],
    coveredBy: null,
    attempts: 0,
    createdAt: now,
    nextAttemptAt: now,
    releasedAt: null,
    usefulUntil: null,
    maybeAccepted: false,
    deliveredAt: null,
    response: null,
    error: null,
    eventSeqs: [],
  };
}
