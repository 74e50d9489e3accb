/** Why somebody was or was not mailed about one invite: for each event and recipient what came of it, and what is next. */
import type { Attempted, DeliveryStage } from "../domain/delivery/attempt.ts";
import type { Event } from "../domain/event.ts";
import { dueAlert, type ExpiryRules, hasEnded, LAST_CHANCE, lastChanceLeadMs } from "../domain/expiry.ts";
import type { Invite } from "../domain/invite.ts";
import type { Suppression } from "../domain/plan.ts";
import { type Silence, silenceOf } from "../domain/silence.ts";
import type { Sync } from "../domain/sync.ts";
import type { HistoryEntry, ListedMail } from "./queries.ts";

export type Mail = ListedMail & {
  readonly lastAttemptAt: Date | null;
  /** Oldest first. One that a process did not live to finish has no record. */
  readonly deliveryAttempts: readonly DeliveryAttempt[];
};

/** One attempt at delivery, as it was recorded. */
export type DeliveryAttempt = {
  /** 1, 2, 3 … per mail. */
  readonly number: number;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly way: Attempted["way"];
  /** How far it came. */
  readonly stage: DeliveryStage;
  readonly outcome: "accepted" | "refused" | "failed";
  /** What was refused, or what kind of failure it was; null where it was accepted. */
  readonly cause: string | null;
  /** The SMTP reply code, and the enhanced one. */
  readonly code: number | null;
  readonly enhancedCode: string | null;
  readonly queueId: string | null;
  /** The answer, or what went wrong. */
  readonly said: string;
};

export type DecidedSuppression = Suppression & {
  readonly id: string;
  readonly watch: string;
  readonly syncId: string | null;
  readonly decidedAt: Date;
};

/** Everything that is recorded of one invite; each list oldest first. */
export type Story = {
  readonly invite: Invite;
  /** Its own, and those that tell that its watch was blind while it might end. */
  readonly events: readonly Event[];
  /** The syncs that recorded the events. */
  readonly syncs: readonly Pick<Sync, "id" | "startedAt" | "outcome">[];
  /** Those that tell any of the events, and those that tell in their place. */
  readonly mails: readonly Mail[];
  readonly suppressions: readonly DecidedSuppression[];
  /** Those that cover it or did, ended ones too. */
  readonly silences: readonly Silence[];
};

/** Everything that is recorded of one mail. */
export type MailStory = {
  readonly mail: Mail;
  /** What it tells, by watch in the order of its chain; of a mail in place of others, what those were to tell too. */
  readonly told: readonly HistoryEntry[];
  /** The mails in whose place it tells, and those in whose place they were to; oldest first. */
  readonly covers: readonly ListedMail[];
};

/** What came of one event for one recipient. */
export type Outcome = End & {
  /** Null where it holds for everybody. */
  readonly recipient: string | null;
  /** Why this recipient. */
  readonly rules: readonly string[];
};

type End = {
  /** The mail that tells or was to tell; null where there is none. */
  readonly mail: Mail | null;
} & (
  | { readonly kind: "mailed"; readonly at: Date }
  | { readonly kind: "waiting"; readonly until: Date | null; readonly reason: string }
  | { readonly kind: "not mailed"; readonly reason: string }
);

/** At least one for every event: what is not known to be mailed has a reason, if only that none was recorded. */
export function outcomesOf(event: Event, { mails, suppressions }: Story): readonly Outcome[] {
  // The latest decision counts: a mail that is held again and again is decided upon each time.
  const silentFor = new Map(
    suppressions
      .filter(({ eventSeqs }) => eventSeqs.includes(event.seq))
      .map(({ recipient, reason, detail }) => [recipient, `${reason}: ${detail}`]),
  );
  const byMail = mails
    .filter(({ watch, eventSeqs }) => watch === event.watch && eventSeqs.includes(event.seq))
    .map((own): Outcome => {
      const { recipient, rules } = own;
      const end = endOf(own, mails);
      const reason = silentFor.get(recipient);
      const isDropped = reason !== undefined && end.kind !== "mailed";
      return { ...(isDropped ? { kind: "not mailed", reason, mail: end.mail } : end), recipient, rules };
    });
  const told = new Set<string | null>(byMail.map(({ recipient }) => recipient));
  const outcomes = [
    ...byMail,
    ...[...silentFor].filter(([recipient]) => !told.has(recipient)).map(([to, reason]) => notMailed(to, reason)),
  ];
  return outcomes.length > 0 ? outcomes : [notMailed(null, silentReason(event))];
}

function notMailed(recipient: string | null, reason: string): Outcome {
  return { recipient, rules: [], mail: null, kind: "not mailed", reason };
}

function silentReason({ type }: Event): string {
  const byPeople = type === "invite.acknowledged" || type.startsWith("silence.");
  return byPeople ? "what people do is recorded and not mailed" : "no reason was recorded";
}

/** What became of the mail, or of the one that tells in its place. */
function endOf(own: Mail, mails: readonly Mail[]): End {
  const mail = tellingFor(own, mails);
  switch (mail.state) {
    case "delivered":
      return { kind: "mailed", at: mail.deliveredAt ?? mail.createdAt, mail };
    case "pending":
    case "sending":
      return { kind: "waiting", until: mail.nextAttemptAt, reason: waitsBecause(mail), mail };
    case "dead":
      return { kind: "not mailed", reason: `given up: ${saidOf(mail)}`, mail };
    case "cancelled":
      return { kind: "not mailed", reason: `cancelled: ${saidOf(mail)}`, mail };
  }
}

/** The mail that tells in place of this one, followed to the last. */
function tellingFor(own: Mail, mails: readonly Mail[]): Mail {
  let mail = own;
  for (let steps = 0; mail.coveredBy !== null && steps < mails.length; steps += 1) {
    const { coveredBy } = mail;
    mail = mails.find(({ id }) => id === coveredBy) ?? mail;
  }
  return mail;
}

/** Why the mail was given up or is not sent, and what went wrong last, told apart from what people said. */
export function saidOf({ state, reason, error }: ListedMail): string {
  if (state === "cancelled" && reason !== null && error !== null) return `${reason}; last error: ${error}`;
  return [reason, error].filter((text) => text !== null).join(": ") || "no reason was recorded";
}

function waitsBecause(mail: Mail): string {
  const { state, attempts, error, heldBy, reason } = mail;
  if (state === "sending") return "it is being sent";
  if (mail.waitsForRelay && reason !== null) return reason;
  if (attempts > 0) return `attempt ${attempts} failed: ${error ?? "no error was recorded"}`;
  if (heldBy !== null && reason !== null) return reason;
  return "it is due";
}

/** The reminder that comes next if nothing changes, or why none does. */
export type Outlook =
  | { readonly kind: "reminder"; readonly threshold: string; readonly at: Date; readonly silence: Silence | null }
  | { readonly kind: "none"; readonly reason: string };

/**
 * What the clock does next about the invite.
 *
 * @param rules of its watch; null where that is not configured
 * @param silences in force
 */
export function outlookOf(
  invite: Invite,
  { rules, silences, now }: { rules: ExpiryRules | null; silences: readonly Silence[]; now: Date },
): Outlook {
  const obstacle = obstacleTo(invite, rules, now);
  if (obstacle !== null || rules === null) return { kind: "none", reason: obstacle ?? "" };
  for (const at of crossings(invite, rules, now)) {
    const due = dueAlert(invite, rules, at);
    if (due === null) continue;
    const silence = silenceOf(
      invite,
      silences.filter(({ until }) => until > at),
    );
    return { kind: "reminder", threshold: due.threshold, at, silence };
  }
  return { kind: "none", reason: "every reminder was given; what comes next is its end" };
}

function obstacleTo(invite: Invite, rules: ExpiryRules | null, now: Date): string | null {
  if (invite.status !== "pending") return `it is ${invite.status}, so nothing is left to remind of`;
  if (rules === null) return `the watch ${invite.watch} is not in this configuration, so its thresholds are not known`;
  if (invite.expiresAt === null) return "its end is not known";
  if (hasEnded(invite, now)) return "its end has passed; the next sync records it as expired";
  if (invite.acknowledgedAt !== null) return "it is acknowledged; its outcome is still mailed";
  return null;
}

/** When a threshold is crossed from now on, soonest first; now itself where one is due already. */
function crossings(invite: Invite, { thresholds, intervalMs }: ExpiryRules, now: Date): Date[] {
  const end = (invite.expiresAt ?? now).getTime();
  const lifetimeMs = end - (invite.invitedAt ?? invite.firstSeenAt).getTime();
  const leads = thresholds.map((threshold) =>
    threshold.kind === "lead" ? threshold.ms : Math.round(threshold.share * Math.max(0, lifetimeMs)),
  );
  return [now.getTime(), ...[...leads, lastChanceLeadMs(intervalMs)].map((lead) => end - lead)]
    .filter((at) => at >= now.getTime())
    .sort((a, b) => a - b)
    .map((at) => new Date(at));
}

/** The threshold for people: "the last chance", "24h before the end", "25% of its time left". */
export function thresholdText(threshold: string): string {
  if (threshold === LAST_CHANCE) return "the last chance";
  return threshold.endsWith("%") ? `${threshold} of its time left` : `${threshold} before the end`;
}
