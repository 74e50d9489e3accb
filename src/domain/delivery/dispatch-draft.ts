/** What is decided so far about the mails of a batch, and what is to be written of it. */
import type { Event } from "../event.ts";
import type { Notification } from "../notification.ts";
import type { RelayState } from "../relay.ts";
import type { Held, Kept, Release } from "../release.ts";
import { type OutboxMail, watchesOf } from "./outbox-mail.ts";

export type DraftInput = {
  /** The mails of the jobs, and others of their recipients that these may depend on; oldest first. */
  readonly mails: readonly OutboxMail[];
  /** When mails to the recipients were let through within the last hour. */
  readonly released: readonly { readonly id: string; readonly recipient: string; readonly at: Date }[];
  /** Dead letters of which the recipients have not heard. */
  readonly untold: readonly { readonly recipient: string; readonly event: Event }[];
  readonly mailServer: RelayState;
};

type Dropped = Release["dropped"][number];

/** A mail that is given up, and the watches that it told of; null is all. */
export type DeadLetter = { readonly id: string; readonly reason: string; readonly watches: readonly string[] | null };

export type Outcome = {
  /** Mails as they are from now on, where anything has changed. */
  readonly changed: readonly OutboxMail[];
  /** Events that covered mails tell no more. */
  readonly narrowed: readonly Pick<Notification, "id" | "eventSeqs">[];
  readonly suppressions: readonly Dropped[];
  readonly summaries: readonly Notification[];
  readonly deadLetters: readonly DeadLetter[];
  readonly enqueued: readonly { readonly id: string; readonly at: Date }[];
  /** Null where no mail probes it. */
  readonly mailServer: RelayState | null;
};

export type Draft = ReturnType<typeof createDraft>;

export function createDraft(input: DraftInput) {
  const mails = new Map(input.mails.map((mail) => [mail.notification.id, mail]));
  const idsOf = Map.groupBy(mails.keys(), (id) => mails.get(id)?.notification.recipient ?? "");
  const released = new Map<string, Map<string, Date>>();
  for (const { id, recipient, at } of input.released) releasedIn(released, recipient).set(id, at);
  let untold = input.untold;
  const leaving = new Set<string>();
  const changed = new Set<string>();
  const narrowed = new Map<string, readonly number[]>();
  const suppressions: Dropped[] = [];
  const summaries: Notification[] = [];
  const deadLetters: DeadLetter[] = [];
  const enqueued: { id: string; at: Date }[] = [];
  let probed: RelayState | null = null;

  const change = (
    id: string,
    fields: Partial<Notification>,
    others: Partial<Pick<OutboxMail, "events" | "covered" | "waitsForMailServer">> = {},
  ) => {
    const mail = mails.get(id);
    if (mail === undefined) return;
    const notification = { ...mail.notification, ...fields };
    mails.set(id, { ...mail, ...others, notification });
    changed.add(id);
    const { recipient, releasedAt } = notification;
    if (releasedAt === null) releasedIn(released, recipient).delete(id);
    else releasedIn(released, recipient).set(id, releasedAt);
  };
  const bury = (id: string, reason: string) => {
    const mail = mails.get(id);
    if (mail !== undefined) deadLetters.push({ id, reason, watches: watchesOf(mail) });
    change(id, { state: "dead", reason, nextAttemptAt: null });
  };
  /** Out of the mail, and out of those in whose place it is sent. */
  const takeOut = ({ notificationId, watch, eventSeqs }: Dropped) => {
    const mail = mails.get(notificationId);
    if (mail === undefined) return;
    const without = (one: Notification) =>
      one.watch === watch ? one.eventSeqs.filter((seq) => !eventSeqs.includes(seq)) : one.eventSeqs;
    const covered = mail.covered.map((one) => ({ ...one, eventSeqs: without(one) }));
    for (const { id, watch: own, eventSeqs: left } of covered) if (own === watch) narrowed.set(id, left);
    const events = mail.events.filter((event) => event.watch !== watch || !eventSeqs.includes(event.seq));
    change(notificationId, { eventSeqs: without(mail.notification) }, { events, covered });
  };

  return {
    mail: (id: string) => mails.get(id),
    mailServer: () => probed ?? input.mailServer,
    /** The recipient's other mails that are owed, oldest first. */
    othersOf({ id, recipient }: Notification): readonly OutboxMail[] {
      const others = (idsOf.get(recipient) ?? []).flatMap((other) => mails.get(other) ?? []);
      return others.filter(({ notification: other }) => {
        return other.id !== id && other.state === "pending" && !leaving.has(other.id);
      });
    },
    /** When other mails were let through to the recipient, oldest first. */
    releasedTo({ id, recipient }: Notification): readonly Date[] {
      const others = [...releasedIn(released, recipient)].filter(([other]) => other !== id);
      return others.map(([, at]) => at).sort((a, b) => a.getTime() - b.getTime());
    },
    untoldTo({ recipient, watch }: Notification): readonly Event[] {
      return untold.filter((one) => one.recipient === recipient && one.event.watch === watch).map(({ event }) => event);
    },
    change,
    bury,
    enqueue: (id: string, at: Date) => enqueued.push({ id, at }),
    probe(mailServer: RelayState) {
      probed = mailServer;
    },
    /** What it tells needs to be told in no other mail. */
    leaves({ notification: { id, recipient }, events }: OutboxMail) {
      leaving.add(id);
      const told = new Set(events.map(({ id: event }) => event));
      if (untold.length > 0) untold = untold.filter((one) => one.recipient !== recipient || !told.has(one.event.id));
    },
    /** Notes why events are not told, and ends the mails of which nothing is left. */
    settle({ dropped, cancelled }: Release) {
      suppressions.push(...dropped);
      const ended = new Set(cancelled.map(({ id }) => id));
      for (const one of dropped) if (!ended.has(one.notificationId)) takeOut(one);
      for (const { id, reason, tooLate } of cancelled) {
        const mail = mails.get(id);
        const wasTried = mail !== undefined && (mail.notification.attempts > 0 || mail.waitsForMailServer);
        if (tooLate && wasTried) bury(id, reason);
        else change(id, { state: "cancelled", reason, nextAttemptAt: null });
      }
    },
    hold(held: readonly Held[]) {
      for (const { id, hold } of held) {
        // What a silence held has another look when it may go, also where the night holds it on. One that was let
        // through before an outage is so anew when its time comes.
        const heldBy = mails.get(id)?.notification.heldBy === "silence" ? "silence" : hold.cause;
        const fields = { heldBy, reason: hold.reason, nextAttemptAt: hold.until, releasedAt: null };
        change(id, fields, { waitsForMailServer: false });
      }
    },
    /** One mail takes the place of several: of the watch that all of them are of, where there is one. @returns its id */
    fold(kept: readonly Kept[], summary: Pick<Notification, "id" | "messageId">, now: Date): string {
      const members = kept.flatMap(({ id }) => mails.get(id)?.notification ?? []);
      for (const { id, heldBy } of members) {
        const reason = `covered by ${summary.id}`;
        const covered = { state: "cancelled", reason, coveredBy: summary.id, nextAttemptAt: null } as const;
        change(id, { ...covered, heldBy: heldBy ?? "outage" });
      }
      summaries.push(summaryOf(members, summary, now));
      return summary.id;
    },
    outcome: (): Outcome => ({
      changed: [...changed].flatMap((id) => mails.get(id) ?? []),
      narrowed: [...narrowed].map(([id, eventSeqs]) => ({ id, eventSeqs })),
      suppressions,
      summaries,
      deadLetters,
      enqueued,
      mailServer: probed,
    }),
  };
}

function releasedIn(released: Map<string, Map<string, Date>>, recipient: string): Map<string, Date> {
  const known = released.get(recipient) ?? new Map<string, Date>();
  released.set(recipient, known);
  return known;
}

function summaryOf(
  members: readonly Notification[],
  { id, messageId }: Pick<Notification, "id" | "messageId">,
  now: Date,
): Notification {
  const watches = new Set(members.map(({ watch }) => watch));
  return {
    id,
    messageId,
    watch: watches.size === 1 ? (members[0]?.watch ?? null) : null,
    recipient: members[0]?.recipient ?? "",
    rules: [...new Set(members.flatMap(({ rules }) => rules))],
    kind: "summary",
    state: "pending",
    createdAt: now,
    nextAttemptAt: now,
    eventSeqs: [],
    syncId: null,
    subject: null,
    reason: null,
    heldBy: null,
    coveredBy: null,
    attempts: 0,
    releasedAt: null,
    usefulUntil: null,
    maybeAccepted: false,
    deliveredAt: null,
    response: null,
    error: null,
  };
}
