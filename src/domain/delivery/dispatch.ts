/**
 * What becomes of the mails of a batch whose time has come.
 *
 * They are looked at one after the other, and what is decided about one counts for the next: a mail that is sent counts
 * in its recipient's hour, one that is folded into a summary is gone, and one mail alone probes the mail server.
 */
import type { Event } from "../event.ts";
import type { Hold } from "../hold.ts";
import type { Invite } from "../invite.ts";
import type { Notification } from "../notification.ts";
import type { QuietHours } from "../quiet-hours.ts";
import { leavingOf, longOutageOf, type Outage, usefulUntilOf, type WayOut, wayOut, whileProbing } from "../relay.ts";
import { dependsOnOthers, type Release, type ReleaseInput, releaseOf } from "../release.ts";
import type { Silence } from "../silence.ts";
import { createDraft, type Draft, type DraftInput, type Outcome } from "./dispatch-draft.ts";
import { inChainOrder, isDue, mayBeRepeat, mightLeaveSince, type OutboxMail } from "./outbox-mail.ts";

const HOUR_MS = 3_600_000;

export type DeliveryJob = {
  readonly notificationId: string;
  /** Whether an earlier run of the same job came to no end: a mail that it was sending is sent again. */
  readonly takeOver?: boolean;
};

export type DispatchInput = DraftInput & {
  readonly jobs: readonly DeliveryJob[];
  readonly inviteOf: (watch: string, id: string) => Invite | null;
  /** In force. */
  readonly silences: readonly Silence[];
};

export type DispatchRules = {
  readonly now: Date;
  readonly quietHoursOf: (watch: string) => QuietHours | null;
  /** Mails per recipient and hour. */
  readonly floodCap: number;
  /** Whether there is a second way out. */
  readonly hasFallback: boolean;
  /** Id and Message-ID of a mail that takes the place of several. */
  readonly newSummary: (recipient: string) => Pick<Notification, "id" | "messageId">;
};

/** How the mail leaves: by the mail server, perhaps as the probe, or by a second way out. */
export type Way = Extract<WayOut, { readonly kind: "relay" | "fallback" }>;

/** What becomes of the mail of one job. `idle`: it is not owed, or not yet due. */
export type Decision =
  | { readonly kind: "idle" }
  | { readonly kind: "send"; readonly mail: OutboxMail; readonly way: Way }
  /** The mail server is down, and another mail finds out when it is well again. */
  | { readonly kind: "waiting"; readonly notification: Notification; readonly until: Date; readonly reason: string }
  | { readonly kind: "given up"; readonly notification: Notification; readonly reason: string }
  | { readonly kind: "held"; readonly notification: Notification; readonly hold: Hold }
  | { readonly kind: "cancelled"; readonly notification: Notification; readonly reason: string }
  /** Another mail, owed now, is sent in place of this one and others. */
  | { readonly kind: "folded"; readonly notification: Notification; readonly into: string; readonly count: number };

const IDLE: Decision = { kind: "idle" };

export type Dispatch = Outcome & {
  /** One for each job, in their order. */
  readonly decisions: readonly Decision[];
};

export function decideDispatch(input: DispatchInput, rules: DispatchRules): Dispatch {
  const draft = createDraft(input);
  const looked = new Set<string>();
  const decisions = input.jobs.map(({ notificationId: id, takeOver = false }) => {
    const mail = draft.mail(id);
    if (mail === undefined || looked.has(id)) return IDLE;
    looked.add(id);
    if (isDue(mail, rules.now, takeOver)) return decide(mail, { input, rules, draft });
    const { state, nextAttemptAt } = mail.notification;
    // It was held along with another, or came to wait by a clock that is ahead of ours.
    if (state === "pending" && nextAttemptAt !== null) draft.enqueue(id, nextAttemptAt);
    return IDLE;
  });
  return { decisions, ...draft.outcome() };
}

type Context = { readonly input: DispatchInput; readonly rules: DispatchRules; readonly draft: Draft };

function decide(mail: OutboxMail, context: Context): Decision {
  const { draft, rules } = context;
  const { notification } = mail;
  if (mail.isFrozen && mayBeRepeat(notification)) return sendFrozen(mail, context);
  const outage = longOutageOf(draft.mailServer(), rules.now);
  const release = releaseOf(questionOf(mail, outage, context));
  if (mail.isFrozen && staysFrozen(mail, release, outage)) return sendFrozen(mail, context);
  draft.settle(release);
  switch (release.kind) {
    case "none": {
      const reason = release.cancelled.find(({ id }) => id === notification.id)?.reason ?? "";
      const isDead = draft.mail(notification.id)?.notification.state === "dead";
      return { kind: isDead ? "given up" : "cancelled", notification, reason };
    }
    case "hold":
      draft.hold([{ id: notification.id, hold: release.hold }, ...release.others]);
      draft.enqueue(notification.id, release.hold.until);
      return { kind: "held", notification, hold: release.hold };
    case "fold": {
      const into = draft.fold(release.mails, rules.newSummary(notification.recipient), rules.now);
      draft.enqueue(into, rules.now);
      return { kind: "folded", notification, into, count: release.mails.length };
    }
    case "send":
      return send(draft.mail(notification.id) ?? mail, release.mail, context);
  }
}

function questionOf(mail: OutboxMail, outage: Outage | null, { input, rules, draft }: Context): ReleaseInput {
  const { notification } = mail;
  const { now, quietHoursOf, floodCap } = rules;
  const isOther = ({ notification: other, isFrozen }: OutboxMail) => {
    if (outage !== null && other.createdAt <= outage.until) return true;
    const isRipe = other.nextAttemptAt === null || other.nextAttemptAt <= now || other.heldBy === "flapping";
    return other.heldBy !== null && !isFrozen && isRipe;
  };
  return {
    mail,
    others: dependsOnOthers(notification, outage, now) ? draft.othersOf(notification).filter(isOther) : [],
    inviteOf: input.inviteOf,
    silences: input.silences,
    releasedAt: draft.releasedTo(notification).filter((at) => at.getTime() > now.getTime() - HOUR_MS),
    outage,
    quietHoursOf,
    floodCap,
    now,
  };
}

/**
 * Whether the kept bytes go out as they are, whatever would be decided of a mail that is yet to be made.
 *
 * What was let through once is not held back, but it may be found to be moot; what a long outage held up also becomes
 * one with the others, and waits for the morning with them.
 */
function staysFrozen({ notification }: OutboxMail, { kind }: Release, outage: Outage | null): boolean {
  if (kind === "none") return false;
  const heldUp = outage !== null && notification.createdAt <= outage.until;
  return !heldUp || kind === "send";
}

/** The kept bytes go out again, unless they are of no use any more. */
function sendFrozen(mail: OutboxMail, context: Context): Decision {
  const { draft, rules } = context;
  const { id, usefulUntil, releasedAt, state, maybeAccepted } = mail.notification;
  if (usefulUntil !== null && usefulUntil <= rules.now) {
    return giveUp(mail, `it was of no use any more after ${usefulUntil.toISOString()}`, context);
  }
  const route = routeOf(mail, mail.events, context);
  // Of one that was being sent nobody knows how far that came.
  const fields = { maybeAccepted: maybeAccepted || state === "sending", releasedAt: releasedAt ?? rules.now };
  if (fields.maybeAccepted !== maybeAccepted || releasedAt === null) draft.change(id, fields);
  return leave(draft.mail(id) ?? mail, route, context);
}

/** Sends what is left to tell, and with it of which mails were given up since. */
function send(mail: OutboxMail, kept: Extract<Release, { kind: "send" }>["mail"], context: Context): Decision {
  const { draft, rules } = context;
  const { notification } = mail;
  const untold = draft.untoldTo(notification);
  const events = inChainOrder([...mail.events, ...untold]);
  const route = routeOf(mail, events, context);
  if (route.kind !== "relay" && route.kind !== "fallback") return leave(mail, route, context);
  const { downSince } = draft.mailServer();
  const own = notification.kind === "summary" ? [] : kept.eventSeqs;
  draft.change(
    notification.id,
    {
      kind: kept.kind,
      eventSeqs: [...own, ...untold.map(({ seq }) => seq)].sort((a, b) => a - b),
      // One that only finds out whether the mail server is well again has waited for that already.
      releasedAt: downSince === null ? rules.now : mightLeaveSince(notification, downSince, rules.now),
      usefulUntil: usefulUntilOf(events),
      reason: null,
    },
    { events, waitsForMailServer: false },
  );
  return leave(draft.mail(notification.id) ?? mail, route, context);
}

/** By which way the mail may leave; the mail that probes the mail server is the only one for a while. */
function routeOf({ notification }: OutboxMail, events: readonly Event[], { draft, rules }: Context): WayOut {
  const mailServer = draft.mailServer();
  const { now, hasFallback } = rules;
  if (mailServer.downSince === null) return { kind: "relay", probe: false };
  const releasedAt = mightLeaveSince(notification, mailServer.downSince, now);
  const route = wayOut(mailServer, leavingOf({ ...notification, releasedAt }, events, hasFallback), now);
  if (route.kind === "relay") draft.probe(whileProbing(mailServer, now));
  return route;
}

function leave(mail: OutboxMail, route: WayOut, context: Context): Decision {
  const { draft, rules } = context;
  const { notification } = mail;
  switch (route.kind) {
    case "relay":
    case "fallback":
      draft.leaves(mail);
      return { kind: "send", mail, way: route };
    case "give up":
      return giveUp(mail, route.reason, context);
    case "wait": {
      const { until, reason } = route;
      // What was held on purpose is owed from now on, not from when it was planned.
      const releasedAt = notification.releasedAt ?? (notification.heldBy === null ? null : rules.now);
      const fields = { state: "pending", reason, nextAttemptAt: until, releasedAt } as const;
      draft.change(notification.id, fields, { waitsForMailServer: true });
      draft.enqueue(notification.id, until);
      return { kind: "waiting", notification, until, reason };
    }
  }
}

function giveUp({ notification }: OutboxMail, reason: string, { draft }: Context): Decision {
  draft.bury(notification.id, reason);
  return { kind: "given up", notification, reason };
}
