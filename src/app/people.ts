/** What people say about alerts: that an invitation is taken care of, and what is to be held for a while. */
import type { EventDraft } from "../domain/event.ts";
import { hasEnded } from "../domain/expiry.ts";
import type { Invite } from "../domain/invite.ts";
import type { Silence } from "../domain/silence.ts";
import type { MailDecisionStore } from "./mail-decisions.ts";
import type { Clock } from "./ports.ts";
import type { InviteFinder } from "./queries.ts";

/** The pending invites that a silence covers: how many, and the first to end. */
export type Covered = { readonly count: number; readonly first: readonly Invite[] };

export type EndedSilence = {
  /** As it was before. */
  readonly silence: Silence;
  /** Mails that are decided upon anew; null where it was not in force any more. */
  readonly released: number | null;
};

/** Every method rejects with DatabaseError where the database fails. */
export type PeopleStore = MailDecisionStore &
  InviteFinder & {
    /** Silences with this id, or whose id begins so, newest first; at most so many. */
    silencesNamed(text: string, limit: number): Promise<readonly Silence[]>;
    /**
     * Marks the invite and adds the event, under its watch's lock; the invite as it was before.
     *
     * @param decide pure; null where nothing is to be written
     */
    acknowledge(
      about: Pick<Invite, "watch" | "id">,
      at: Date,
      decide: (invite: Invite) => EventDraft | null,
    ): Promise<Invite>;
    /** Adds the silence, and the event to the chain of every watch that it covers; the names of those. */
    addSilence(silence: Silence, event: EventDraft): Promise<readonly string[]>;
    pendingUnder(silence: Silence, now: Date, limit: number): Promise<Covered>;
    /**
     * Ends the silence if it is in force, adds the event to the chains that hold its beginning, and lets every mail that
     * a silence holds be decided upon anew.
     */
    endSilence(id: string, end: { readonly by: string; readonly at: Date }, event: EventDraft): Promise<EndedSilence>;
  };

type Ports = { readonly store: PeopleStore; readonly clock: Clock };

export type Acknowledgement = {
  readonly kind: "acknowledged" | "already" | "over";
  /** As it was before. */
  readonly invite: Invite;
};

/** Stops the reminders of the invite, unless they are stopped or it is over. */
export async function acknowledge(
  about: Pick<Invite, "watch" | "id">,
  { by, note }: { readonly by: string; readonly note: string | null },
  { store, clock }: Ports,
): Promise<Acknowledgement> {
  const at = clock.now();
  const data = { by, reason: note };
  const event = { type: "invite.acknowledged", inviteId: about.id, occurredAt: at, data } as const;
  const invite = await store.acknowledge(about, at, (found) => (obstacleTo(found, at) === null ? event : null));
  return { kind: obstacleTo(invite, at) ?? "acknowledged", invite };
}

function obstacleTo(invite: Invite, now: Date): "already" | "over" | null {
  if (invite.status !== "pending" || hasEnded(invite, now)) return "over";
  return invite.acknowledgedAt === null ? null : "already";
}

export type SilenceRequest = Pick<Silence, "watch" | "inviteId" | "organization" | "until" | "reason" | "by">;

/** How many of the invites that a silence covers are named. */
const NAMED_INVITES = 5;

/** Holds the alerts that match from now on; which watches are concerned, and which invites at present. */
export async function silence(
  request: SilenceRequest,
  { store, clock, newId }: Ports & { readonly newId: () => string },
): Promise<{ readonly silence: Silence; readonly watches: readonly string[]; readonly covered: Covered }> {
  const createdAt = clock.now();
  const added = { ...request, id: newId(), createdAt, endedAt: null };
  const watches = await store.addSilence(added, {
    type: "silence.created",
    inviteId: added.inviteId,
    occurredAt: createdAt,
    data: { ...dataOf(added, added.by), until: added.until.toISOString() },
  });
  return { silence: added, watches, covered: await store.pendingUnder(added, createdAt, NAMED_INVITES) };
}

/** Ends the silence before its time, unless it is over. */
export async function unsilence(named: Silence, by: string, { store, clock }: Ports): Promise<EndedSilence> {
  const at = clock.now();
  return store.endSilence(
    named.id,
    { by, at },
    { type: "silence.ended", inviteId: named.inviteId, occurredAt: at, data: dataOf(named, by) },
  );
}

function dataOf({ id, reason, inviteId, organization }: Silence, by: string) {
  return { by, reason, silenceId: id, inviteId, organization };
}
