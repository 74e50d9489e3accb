/** An outbox in memory under a fake clock: what a recipient gets when plan and release are obeyed to the letter. */
import type { Event } from "../../src/domain/event.ts";
import { FLAP_WINDOW_MS, isTurn } from "../../src/domain/hold.ts";
import type { Invite } from "../../src/domain/invite.ts";
import type { Notification } from "../../src/domain/notification.ts";
import { planMails } from "../../src/domain/plan.ts";
import type { QuietHours } from "../../src/domain/quiet-hours.ts";
import { type Release, releaseOf } from "../../src/domain/release.ts";
import { isInForce, type Silence } from "../../src/domain/silence.ts";
import { after, notification } from "./build.ts";
import { HOUR } from "./durations.ts";

const RECIPIENT = "ops@example.com";

type Row = { notification: Notification; events: readonly Event[]; releasedAt: Date | null };

export type Sent = { readonly at: Date; readonly kind: Notification["kind"]; readonly seqs: readonly number[] };

export type Outbox = {
  /** Plans the mails of a sync. */
  sync(events: readonly Event[], at: Date): void;
  /** Releases everything that comes due until then. */
  run(until: Date): void;
  readonly sent: readonly Sent[];
  readonly dropped: readonly Release["dropped"][number][];
};

type Setting = {
  /** As known at any time; may change while time goes on. */
  readonly invites: Map<string, Invite>;
  readonly silences?: Silence[];
  readonly quietHours?: QuietHours;
  readonly floodCap?: number;
};

/** One watch that mails to one person. */
export function createOutbox({ invites, silences = [], quietHours, floodCap = 20 }: Setting): Outbox {
  const rows: Row[] = [];
  const past: { readonly event: Event; readonly at: Date }[] = [];
  const told = new Map<string, Set<string>>();
  const sent: Sent[] = [];
  const dropped: Release["dropped"][number][] = [];
  const inviteOf = (id: string) => invites.get(id) ?? null;

  const add = (row: Omit<Row, "releasedAt">) => rows.push({ ...row, releasedAt: null });
  const change = (id: string, fields: Partial<Notification>) => {
    for (const row of rows) if (row.notification.id === id) row.notification = { ...row.notification, ...fields };
  };

  function sync(events: readonly Event[], at: Date): void {
    const turns = new Map<string, number>();
    for (const { event } of past.filter((one) => isTurn(one.event) && one.at > after(-FLAP_WINDOW_MS, at))) {
      if (event.inviteId !== null) turns.set(event.inviteId, (turns.get(event.inviteId) ?? 0) + 1);
    }
    const { mails } = planMails({
      watch: "default",
      events,
      inviteOf,
      audience: { recipients: [RECIPIENT], routes: [], quietHours: quietHours ?? null },
      context: { silences: silences.filter((one) => isInForce(one, at)), told, turns },
      now: at,
    });
    for (const { hold, ...mail } of mails) {
      const own = events.filter(({ seq }) => mail.eventSeqs.includes(seq));
      const held = { heldBy: hold?.cause ?? null, nextAttemptAt: hold?.until ?? at };
      add({ notification: notification({ ...mail, ...held, id: `n${rows.length + 1}`, createdAt: at }), events: own });
      for (const { inviteId } of own) if (inviteId !== null) told.set(inviteId, new Set([RECIPIENT]));
    }
    past.push(...events.map((event) => ({ event, at })));
  }

  function release(row: Row, now: Date): void {
    const isOther = (one: Row) =>
      one !== row && one.notification.state === "pending" && one.notification.heldBy !== null;
    const result = releaseOf({
      mail: row,
      others: rows.filter(isOther),
      inviteOf: (_, id) => inviteOf(id),
      silences: silences.filter((one) => isInForce(one, now)),
      quietHoursOf: () => quietHours ?? null,
      releasedAt: rows
        .flatMap(({ releasedAt: at }) => (at !== null && at > after(-HOUR, now) ? [at] : []))
        .sort((a, b) => a.getTime() - b.getTime()),
      outage: null,
      floodCap,
      now,
    });
    dropped.push(...result.dropped);
    for (const { id, reason } of result.cancelled) change(id, { state: "cancelled", reason });
    if (result.kind === "hold") {
      for (const { id, hold } of [{ id: row.notification.id, hold: result.hold }, ...result.others]) {
        const { cause, until, reason } = hold;
        if (until <= now) throw new Error(`held until ${until.toISOString()}, which is not later`);
        change(id, { heldBy: cause, nextAttemptAt: until, reason });
      }
    }
    if (result.kind === "send") {
      row.releasedAt = now;
      change(result.mail.id, { state: "delivered" });
      sent.push({ at: now, kind: result.mail.kind, seqs: result.mail.eventSeqs });
    }
    if (result.kind === "fold") {
      const events = result.mails.flatMap(({ id, eventSeqs }) => {
        const member = rows.find(({ notification }) => notification.id === id);
        return member?.events.filter(({ seq }) => eventSeqs.includes(seq)) ?? [];
      });
      for (const { id } of result.mails) change(id, { state: "cancelled" });
      const id = `n${rows.length + 1}`;
      add({ notification: notification({ id, kind: "summary", createdAt: now, nextAttemptAt: now }), events });
    }
  }

  function run(until: Date): void {
    for (let next = firstDue(rows, until); next !== null; next = firstDue(rows, until)) {
      release(next, next.notification.nextAttemptAt ?? until);
    }
  }
  return { sync, run, sent, dropped };
}

/** The pending mail that is due first, or null where none is by then. */
function firstDue(rows: readonly Row[], until: Date): Row | null {
  const dueAt = ({ notification: { nextAttemptAt } }: Row) => (nextAttemptAt ?? until).getTime();
  const pending = rows.filter((row) => row.notification.state === "pending" && dueAt(row) <= until.getTime());
  return pending.reduce<Row | null>((first, row) => (first === null || dueAt(row) < dueAt(first) ? row : first), null);
}
