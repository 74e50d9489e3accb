/**
 * Who is mailed about which events of a sync, what has to wait, and why an event is not mailed.
 *
 * Pure: the events in the order of their chain, and what is known of who was told before, come from the caller.
 */
import type { Event, EventType } from "./event.ts";
import { dampingOf, endsBy, type Hold, isTurn } from "./hold.ts";
import type { Invite } from "./invite.ts";
import type { NotificationKind } from "./notification.ts";
import { type QuietHours, quietUntil } from "./quiet-hours.ts";
import { DEFAULT_RULE, isExcluded, type Route, type Routed, recipientsOf } from "./routing.ts";
import { type Silence, silenceOf } from "./silence.ts";

/** Most urgent first: what decides a mail's kind. */
const URGENCY: readonly EventType[] = [
  "watch.blind",
  "invite.expiring",
  "invite.received",
  "invite.returned",
  "invite.status_changed",
  "invite.expired",
  "invite.withdrawn",
  "watch.recovered",
  "invite.changed",
  "invite.unrecognised",
  "notification.dead",
  "watch.baseline",
];

/** The fields whose change is worth a mail by itself. */
const MAILED_CHANGES = ["expiresAt", "roles"];
const OUTCOMES = ["accepted", "rejected", "expired", "withdrawn"];

/** The rule by which those who were told of an invite are told how it ended. */
const TOLD_RULE = "told of it";

/** Who is told of a watch's events, by configuration. */
export type Audience = {
  /** The watch's own recipients. */
  readonly recipients: readonly string[];
  readonly routes: readonly Route[];
  readonly quietHours: QuietHours | null;
};

/** What earlier syncs and people left behind that bears on these events. */
export type PlanContext = {
  /** In force. */
  readonly silences: readonly Silence[];
  /** Who was told of an invite before, by its id. */
  readonly told: ReadonlyMap<string, ReadonlySet<string>>;
  /** How often an invite's status changed within `FLAP_WINDOW_MS` before these events, by its id. */
  readonly turns: ReadonlyMap<string, number>;
};

export type PlannedMail = {
  readonly recipient: string;
  readonly kind: NotificationKind;
  /** In the order of the chain. */
  readonly eventSeqs: readonly number[];
  /** Why this recipient: the rules that chose it for any of the events. */
  readonly rules: readonly string[];
  /** Null where the mail goes out at once. */
  readonly hold: Hold | null;
};

/** Why events are not mailed. */
export type SuppressionReason = "minor change" | "told in the next mail" | "acknowledged" | "nobody was told" | "moot";

/** Events that are not mailed, and why; what is recorded of a decision not to mail. */
export type Suppression = {
  readonly reason: SuppressionReason;
  /** In a clause, for people. */
  readonly detail: string;
  /** Null where it holds for everybody. */
  readonly recipient: string | null;
  readonly eventSeqs: readonly number[];
};

export type Plan = { readonly mails: readonly PlannedMail[]; readonly suppressions: readonly Suppression[] };

export type PlanInput = {
  readonly watch: string;
  /** Of one sync, in the order of the chain. */
  readonly events: readonly Event[];
  /** The invite as now known. */
  readonly inviteOf: (id: string) => Invite | null;
  readonly audience: Audience;
  readonly context: PlanContext;
  readonly now: Date;
};

/** At most one mail per recipient goes out at once for the events of a sync; what must wait is apart from it. */
export function planMails(input: PlanInput): Plan {
  const { audience, context, now } = input;
  const inventory = input.events.some((event) => event.type === "watch.baseline");
  const quiet = audience.quietHours && quietUntil(audience.quietHours, now);
  const told = toldBy(context);
  const turns = new Map(context.turns);
  const suppressed = new Map<string, Silent & { eventSeqs: number[] }>();
  const drafts = new Map<string, Draft>();

  for (const event of input.events) {
    const invite = event.inviteId === null ? null : input.inviteOf(event.inviteId);
    const { routed, nobody } = audienceOf(event, invite, told, input);
    const silent = inventory ? null : (silentBecause(event, invite) ?? nobody);
    if (silent !== null) {
      const key = `${silent.reason}\n${silent.detail}`;
      const entry = suppressed.get(key);
      if (entry === undefined) suppressed.set(key, { ...silent, eventSeqs: [event.seq] });
      else entry.eventSeqs.push(event.seq);
      continue;
    }
    if (event.inviteId !== null && isTurn(event)) turns.set(event.inviteId, (turns.get(event.inviteId) ?? 0) + 1);
    const hold = inventory ? null : holdOf(event, invite, { input, turns, quiet });
    for (const { recipient, rules } of routed) {
      told.add(event.inviteId, recipient);
      draftFor(drafts, recipient, hold).add(event, rules);
    }
  }
  return {
    mails: [...drafts.values()].map((draft) => (inventory ? inventoryOf(draft, input, quiet) : draft.mail())),
    suppressions: [...suppressed.values()].map((entry) => ({ ...entry, recipient: null })),
  };
}

type Silent = { readonly reason: SuppressionReason; readonly detail: string };

/** Why no mail is sent for the event to anybody, or null where one is. */
function silentBecause(event: Event, invite: Invite | null): Silent | null {
  switch (event.type) {
    case "invite.changed": {
      const fields = Object.keys(event.data.changes);
      if (fields.some((field) => MAILED_CHANGES.includes(field))) return null;
      return { reason: "minor change", detail: `only ${fields.join(", ")} changed` };
    }
    case "invite.expiring": {
      const at = invite?.acknowledgedAt ?? null;
      return at === null
        ? null
        : { reason: "acknowledged", detail: `somebody takes care of it since ${at.toISOString()}` };
    }
    case "notification.dead":
      return { reason: "told in the next mail", detail: "a mail that was given up makes no mail of its own" };
    default:
      return null;
  }
}

/** Whether the event says how the invite ended. */
export function isOutcome(event: Event): boolean {
  if (event.type === "invite.status_changed") return OUTCOMES.includes(event.data.to);
  return event.type === "invite.expired" || event.type === "invite.withdrawn";
}

type Told = {
  of(inviteId: string): ReadonlySet<string>;
  add(inviteId: string | null, recipient: string): void;
};

/** Who was told of an invite before, and who is by these events. */
function toldBy(context: PlanContext): Told {
  const now = new Map<string, Set<string>>();
  const none: ReadonlySet<string> = new Set();
  return {
    of: (id) => (context.told.get(id) ?? none).union(now.get(id) ?? none),
    add(id, recipient) {
      if (id === null) return;
      const people = now.get(id);
      if (people === undefined) now.set(id, new Set([recipient]));
      else people.add(recipient);
    },
  };
}

/**
 * Those who are told of the event. Of an outcome: those who were told of the invite, are still configured anywhere and
 * whose routes do not exclude it, and those of routes that ask for it; where that is nobody, the watch's own.
 */
function audienceOf(
  event: Event,
  invite: Invite | null,
  told: Told,
  { watch, audience }: PlanInput,
): { readonly routed: readonly Routed[]; readonly nobody: Silent | null } {
  const about = { type: event.type, watch, invite };
  const routed = recipientsOf(about, audience.recipients, audience.routes);
  if (event.inviteId === null || !isOutcome(event)) return { routed, nobody: null };

  const before = told.of(event.inviteId);
  const byRoute = new Map(
    routed
      .map(({ recipient, rules }) => [recipient, rules.filter((rule) => rule !== DEFAULT_RULE)] as const)
      .filter(([, rules]) => rules.length > 0),
  );
  if (before.size === 0 && byRoute.size === 0) {
    return { routed, nobody: { reason: "nobody was told", detail: "nobody had been told of this invitation" } };
  }
  const configured = new Set([...audience.recipients, ...audience.routes.flatMap(({ to }) => to)]);
  const excludes = (recipient: string) => isExcluded(recipient, about, audience.recipients, audience.routes);
  const stillTold = [...before].filter((recipient) => configured.has(recipient) && !excludes(recipient));
  const people = new Set(stillTold).union(byRoute);
  if (people.size === 0) return { routed, nobody: null };
  const rulesFor = (recipient: string) => [
    ...(before.has(recipient) ? [TOLD_RULE] : []),
    ...(byRoute.get(recipient) ?? []),
  ];
  return { routed: [...people].map((recipient) => ({ recipient, rules: rulesFor(recipient) })), nobody: null };
}

type Holding = { readonly input: PlanInput; readonly turns: ReadonlyMap<string, number>; readonly quiet: Date | null };

/** What the event has to wait for. Only a silence holds what would end meanwhile: somebody asked for that. */
function holdOf(event: Event, invite: Invite | null, { input, turns, quiet }: Holding): Hold | null {
  const { context, now } = input;
  const silence = silenceOf(invite, context.silences);
  if (silence !== null) return silenceHold(silence);
  const damping = dampingOf(event, turns.get(event.inviteId ?? "") ?? 0, now);
  if (damping !== null && !endsBy(invite, damping.until, now)) return damping;
  return quiet !== null && !endsInside([event], quiet, input) ? quietHold(quiet) : null;
}

export function silenceHold({ id, until, reason }: Silence): Hold {
  return { cause: "silence", until, reason: `the silence ${id}: ${reason}` };
}

export function quietHold(until: Date): Hold {
  return { cause: "quiet-hours", until, reason: `quiet hours until ${until.toISOString()}` };
}

/** Nobody can act in less, so that what ends within it counts as ended. */
const TIME_TO_ACT_MS = 3_600_000;

/** Whether any of the events is about an invite that can still be answered now, and hardly any more at the instant. */
export function endsInside(
  events: readonly Event[],
  until: Date,
  { inviteOf, now }: Pick<PlanInput, "inviteOf" | "now">,
): boolean {
  const ids = events.flatMap((event) => (event.type === "watch.blind" ? event.data.atRisk : (event.inviteId ?? [])));
  const tooLate = new Date(until.getTime() + TIME_TO_ACT_MS);
  return ids.some((id) => endsBy(inviteOf(id), tooLate, now));
}

/** A mail in the making. */
type Draft = {
  readonly events: readonly Event[];
  add(event: Event, rules: readonly string[]): void;
  mail(): PlannedMail;
};

/** The recipient's mail of what waits for the same, made where there is none yet. */
function draftFor(drafts: Map<string, Draft>, recipient: string, hold: Hold | null): Draft {
  const key = `${recipient}\n${hold?.cause}\n${hold?.until.getTime()}`;
  const present = drafts.get(key);
  if (present !== undefined) return present;
  const events: Event[] = [];
  const chosenBy = new Set<string>();
  const draft: Draft = {
    events,
    add(event, rules) {
      events.push(event);
      for (const rule of rules) chosenBy.add(rule);
    },
    mail: () => ({
      recipient,
      kind: mostUrgent(events),
      eventSeqs: events.map((event) => event.seq),
      rules: [...chosenBy],
      hold,
    }),
  };
  drafts.set(key, draft);
  return draft;
}

/** An inventory is one mail: it waits as a whole, or not at all. */
function inventoryOf(draft: Draft, input: PlanInput, quiet: Date | null): PlannedMail {
  const hold = quiet !== null && !endsInside(draft.events, quiet, input) ? quietHold(quiet) : null;
  return { ...draft.mail(), kind: "inventory", hold };
}

/** The type that stands first in the order of urgency. */
export function mostUrgent(events: readonly Event[]): EventType {
  const ranks = events.map((event) => URGENCY.indexOf(event.type));
  return URGENCY[ranks.reduce((a, b) => Math.min(a, b), URGENCY.length)] ?? "invite.unrecognised";
}
