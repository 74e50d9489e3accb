/**
 * What becomes of an owed mail when its time has come, before the first attempt.
 *
 * The world has gone on since it was planned: reminders may be moot, a silence may have been asked for, the night may
 * have begun, the hour may be full. Held mails whose time comes together become one. Nothing is dropped without a
 * reason that is recorded.
 */
import { elapsedMs } from "./elapsed.ts";
import type { Event } from "./event.ts";
import { hasEnded } from "./expiry.ts";
import type { Hold } from "./hold.ts";
import { type Invite, inviteKey } from "./invite.ts";
import type { Notification, NotificationKind } from "./notification.ts";
import { endsInside, mostUrgent, quietHold, type Suppression, type SuppressionReason, silenceHold } from "./plan.ts";
import { type QuietHours, quietUntil } from "./quiet-hours.ts";
import type { Outage } from "./relay.ts";
import { type Silence, silenceOf } from "./silence.ts";

const HOUR_MS = 3_600_000;
/** Damping holds a change no longer than this, however often the status changes meanwhile. */
const LONGEST_DAMPING_MS = 6 * HOUR_MS;

/** An owed mail that was never attempted, with the events that it tells. */
export type OwedNews = {
  readonly notification: Notification;
  readonly events: readonly Event[];
};

export type ReleaseInput = {
  /** The mail whose time has come. */
  readonly mail: OwedNews;
  /** The recipient's other held mails. */
  readonly others: readonly OwedNews[];
  /** As now known. */
  readonly inviteOf: (watch: string, id: string) => Invite | null;
  /** In force. */
  readonly silences: readonly Silence[];
  readonly quietHoursOf: (watch: string) => QuietHours | null;
  /** When mails to the recipient were released within the last hour, oldest first. */
  readonly releasedAt: readonly Date[];
  /** The long outage whose mails become one per recipient; null where there was none. */
  readonly outage: Outage | null;
  /** Mails per recipient and hour. */
  readonly floodCap: number;
  readonly now: Date;
};

/** A mail, what it is about now, and those of its events that are worth telling. */
export type Kept = { readonly id: string; readonly kind: NotificationKind; readonly eventSeqs: readonly number[] };

/** A mail that waits on, and for what. */
export type Held = { readonly id: string; readonly hold: Hold };

export type Release = {
  /** Decisions not to mail, by the mail that they were taken out of. */
  readonly dropped: readonly (Suppression & { readonly notificationId: string; readonly watch: string })[];
  /** Mails of which nothing is left to tell, and why: nobody needs them, or they only come too late. */
  readonly cancelled: readonly { readonly id: string; readonly reason: string; readonly tooLate: boolean }[];
} & (
  | { readonly kind: "send"; readonly mail: Kept }
  /** One mail takes the place of several. */
  | { readonly kind: "fold"; readonly mails: readonly Kept[] }
  /** With other held mails whose time has come too, and that wait on likewise: they need not be looked at one by one. */
  | { readonly kind: "hold"; readonly hold: Hold; readonly others: readonly Held[] }
  /** Nothing is left to send. */
  | { readonly kind: "none" }
);

/** What to do with the mail now. */
export function releaseOf(input: ReleaseInput): Release {
  const settling = settlingOf(input.mail, input);
  if (settling !== null) {
    return { kind: "hold", hold: settling, others: heldAlike(input, () => null), dropped: [], cancelled: [] };
  }

  const members = membersOf(input);
  const own = prune(input.mail, members, input);
  const others = members.slice(1).map((member) => prune(member, members, input));
  const gone = [own, ...others].filter(isGone);
  // The others have a time of their own.
  if (isGone(own)) return { kind: "none", ...settle(gone) };

  // Whether something is silenced does not depend on what else is due.
  const left = others.filter((one) => !isGone(one));
  const silence = silenceNow(own.events, input);
  if (silence !== null) {
    const holds = new Map(left.map(({ id, events }) => [id, silenceNow(events, input)]));
    const alike = heldAlike(input, ({ notification: { id } }) => holds.get(id) ?? null);
    return { kind: "hold", hold: silence, others: alike, ...settle(gone) };
  }
  const kept = [own, ...left.filter((one) => silenceNow(one.events, input) === null)];
  const events = kept.flatMap((one) => one.events);
  const hold = quietNow(events, input) ?? floodNow(events, input);
  if (hold !== null) {
    const ids = new Set(kept.map(({ id }) => id));
    const alike = heldAlike(input, ({ notification: { id } }) => (ids.has(id) ? hold : null));
    return { kind: "hold", hold, others: alike, ...settle(gone) };
  }
  if (kept.length === 1) return { kind: "send", mail: keptOf(own), ...settle([own, ...gone]) };
  return { kind: "fold", mails: kept.map(keptOf), ...settle([...kept, ...gone]) };
}

/** The other mails whose time has come and that have to wait as well; not those that were let through. */
function heldAlike(input: ReleaseInput, holdOf: (one: OwedNews) => Hold | null): readonly Held[] {
  const heldUp = isHeldUp(input.mail, input);
  return input.others.flatMap((one) => {
    const { id, heldBy, releasedAt } = one.notification;
    const waited = heldBy !== null && releasedAt === null && isDue(one, input.now);
    const looked = (waited || heldUp) && isHeldUp(one, input) === heldUp;
    const hold = looked ? (settlingOf(one, input) ?? holdOf(one)) : null;
    return hold === null ? [] : [{ id, hold }];
  });
}

/**
 * A damped change waits for the next one of the same invite, so that all are told at once; but not past the end of an
 * invite that it concerns.
 */
function settlingOf(one: OwedNews, input: ReleaseInput): Hold | null {
  const { mail, others, now } = input;
  if (!isDamped(one) || elapsedMs(one.notification.createdAt, now) >= LONGEST_DAMPING_MS) return null;
  const invites = invitesOf([one]);
  const later = [mail, ...others]
    .filter((other) => isDamped(other) && !isDue(other, now) && concernsAny(other, invites))
    .flatMap(({ notification }) => notification.nextAttemptAt ?? []);
  const until = later.reduce<Date | null>((last, at) => (last === null || at > last ? at : last), null);
  if (until === null || isUrgent(one.events, until, input)) return null;
  return { cause: "flapping", until, reason: "its status keeps changing" };
}

/**
 * The mail, then the held ones whose time has come too, and those that tell of the same changes back and forth. After
 * a long outage: all that it held up.
 */
function membersOf(input: ReleaseInput): readonly OwedNews[] {
  const { mail, others, now } = input;
  if (isHeldUp(mail, input)) return [mail, ...others.filter((one) => isHeldUp(one, input))];
  if (mail.notification.heldBy === null) return [mail];
  const ripe = others.filter((one) => isDue(one, now) && settlingOf(one, input) === null);
  const damped = invitesOf([mail, ...ripe].filter(isDamped));
  const same = others.filter((one) => isDamped(one) && concernsAny(one, damped));
  return [mail, ...new Set([...ripe, ...same])];
}

/**
 * Whether a long outage kept the mail from leaving. One that may have been accepted is repeated as it is, and an
 * overview is no news.
 */
function isHeldUp(
  { notification }: Pick<OwedNews, "notification">,
  { outage, now }: Pick<ReleaseInput, "outage" | "now">,
): boolean {
  const { kind, createdAt, maybeAccepted, heldBy, nextAttemptAt } = notification;
  if (outage === null || createdAt > outage.until || maybeAccepted || OVERVIEWS.includes(kind)) return false;
  return heldBy === null || nextAttemptAt === null || nextAttemptAt <= now;
}

/** Whether what becomes of the mail depends on the recipient's other mails. */
export function dependsOnOthers(notification: Notification, outage: Outage | null, now: Date): boolean {
  return notification.heldBy !== null || (outage !== null && isHeldUp({ notification }, { outage, now }));
}

function isDamped({ notification }: OwedNews): boolean {
  return notification.heldBy === "flapping";
}

function isDue({ notification: { nextAttemptAt } }: OwedNews, now: Date): boolean {
  return nextAttemptAt === null || nextAttemptAt <= now;
}

/** Keys of the invites that the mails concern. */
function invitesOf(mails: readonly OwedNews[]): ReadonlySet<string> {
  return new Set(mails.flatMap(({ events }) => events).flatMap(keyOf));
}

function concernsAny({ events }: OwedNews, invites: ReadonlySet<string>): boolean {
  return events.flatMap(keyOf).some((key) => invites.has(key));
}

function keyOf({ watch, inviteId: id }: Event): readonly string[] {
  return id === null ? [] : [inviteKey({ watch, id })];
}

type Pruned = Omit<Kept, "eventSeqs"> & {
  readonly events: readonly Event[];
  readonly dropped: Release["dropped"];
  /** Whether all that was dropped would still be of use, had it come in time. */
  readonly tooLate: boolean;
};

/** Kinds that show how things stand: they are told as they were taken. */
const OVERVIEWS: readonly NotificationKind[] = ["inventory", "digest", "test"];

function isGone({ kind, events }: Pruned): boolean {
  return events.length === 0 && !OVERVIEWS.includes(kind);
}

function keptOf({ id, kind, events }: Pruned): Kept {
  return { id, kind, eventSeqs: events.map((event) => event.seq) };
}

/** What is written of mails that are done with. Those that go on waiting are looked at anew when their time comes. */
function settle(pruned: readonly Pruned[]): Pick<Release, "dropped" | "cancelled"> {
  return {
    dropped: pruned.flatMap(({ dropped }) => dropped),
    cancelled: pruned
      .filter(isGone)
      .map(({ id, dropped, tooLate }) => ({ id, reason: dropped[0]?.detail ?? "there is nothing to tell", tooLate })),
  };
}

/** The mail without what is not worth telling any more. */
function prune(member: OwedNews, members: readonly OwedNews[], { inviteOf, now }: ReleaseInput): Pruned {
  const { notification, events } = member;
  const { id, kind, recipient } = notification;
  if (OVERVIEWS.includes(kind)) return { id, kind, events, dropped: [], tooLate: false };
  const unheardOf = notification.heldBy === "silence" ? receivedIn(members) : new Set<string>();
  const kept: Event[] = [];
  let tooLate = events.length > 0;
  const dropped = new Map<string, Release["dropped"][number] & { readonly eventSeqs: number[] }>();
  for (const event of events) {
    const invite = event.inviteId === null ? null : inviteOf(event.watch, event.inviteId);
    const moot = invite === null ? null : mootBecause(event, invite, { unheardOf, now });
    if (moot === null) {
      kept.push(event);
      continue;
    }
    tooLate &&= moot.tooLate;
    const { reason, detail } = moot;
    const key = `${event.watch}\n${reason}\n${detail}`;
    const entry = dropped.get(key);
    if (entry !== undefined) entry.eventSeqs.push(event.seq);
    else {
      const about = { recipient, notificationId: id, watch: event.watch };
      dropped.set(key, { reason, detail, ...about, eventSeqs: [event.seq] });
    }
  }
  return {
    id,
    kind: kind === "summary" ? kind : mostUrgent(kept),
    events: kept,
    dropped: [...dropped.values()],
    tooLate,
  };
}

/** Invites of which the recipient hears by these mails for the first time. */
function receivedIn(members: readonly OwedNews[]): ReadonlySet<string> {
  const received = members.flatMap(({ events }) => events).filter(({ type }) => type === "invite.received");
  return new Set(received.flatMap(keyOf));
}

type Moot = { readonly reason: SuppressionReason; readonly detail: string; readonly tooLate: boolean };

function mootBecause(
  event: Event,
  invite: Invite,
  { unheardOf, now }: { readonly unheardOf: ReadonlySet<string>; readonly now: Date },
): Moot | null {
  const over = invite.status !== "pending" || hasEnded(invite, now);
  const how = invite.status === "pending" ? "past its end" : invite.status;
  if (over && unheardOf.has(inviteKey(invite))) {
    return { reason: "moot", detail: `the invitation was ${how} before the silence ended`, tooLate: false };
  }
  if (event.type !== "invite.expiring") return null;
  if (over) {
    const tooLate = invite.acknowledgedAt === null && (invite.status === "pending" || invite.status === "expired");
    return { reason: "moot", detail: `the invitation was ${how} before the reminder was sent`, tooLate };
  }
  if (invite.acknowledgedAt !== null) {
    const detail = `somebody takes care of it since ${invite.acknowledgedAt.toISOString()}`;
    return { reason: "acknowledged", detail, tooLate: false };
  }
  // A later end has reminders of its own.
  const moved = invite.expiresAt !== null && invite.expiresAt > new Date(event.data.expiresAt);
  return moved ? { reason: "moot", detail: "its end had moved before the reminder was sent", tooLate: false } : null;
}

/** Only where every event is covered: a mail is not taken apart. */
function silenceNow(events: readonly Event[], { silences, inviteOf }: ReleaseInput): Hold | null {
  let first: Silence | null = null;
  for (const { watch, inviteId } of events) {
    const silence = silenceOf(inviteId === null ? null : inviteOf(watch, inviteId), silences);
    if (silence === null) return null;
    if (first === null || silence.until < first.until) first = silence;
  }
  return first && silenceHold(first);
}

function quietNow(events: readonly Event[], input: ReleaseInput): Hold | null {
  const watches = [...new Set(events.map((event) => event.watch))];
  const ends = watches.map((watch) => {
    const quietHours = input.quietHoursOf(watch);
    return quietHours && quietUntil(quietHours, input.now);
  });
  // Who is told by several watches is awake where one of them is.
  if (ends.includes(null)) return null;
  const until = ends.reduce((first, end) => (first !== null && end !== null && end > first ? first : end), null);
  return until === null || isUrgent(events, until, input) ? null : quietHold(until);
}

/** The hour is full: the mail waits until there is room, and becomes one with the others that do. */
function floodNow(events: readonly Event[], input: ReleaseInput): Hold | null {
  const { floodCap, now } = input;
  const leaving = input.releasedAt.filter((at) => at <= now).at(-floodCap);
  if (leaving === undefined) return null;
  const until = new Date(leaving.getTime() + HOUR_MS);
  if (isUrgent(events, until, input) || events.some((event) => event.type === "watch.blind")) return null;
  return { cause: "flood", until, reason: `${floodCap} mails to this recipient within the hour` };
}

function isUrgent(events: readonly Event[], until: Date, { inviteOf, now }: ReleaseInput): boolean {
  return [...Map.groupBy(events, (event) => event.watch)].some(([watch, own]) =>
    endsInside(own, until, { inviteOf: (id) => inviteOf(watch, id), now }),
  );
}
