/**
 * What happens in the API during the weather: every invite lives a life of a few acts, of which each must be recorded.
 *
 * An act waits until the one before was recorded: what comes and goes between two polls nobody can see.
 */
import type { User } from "../../src/demo/cloudflare.ts";
import { type ApiInvite, membershipOf, sampleInvite } from "../../src/demo/sample-invite.ts";
import type { Chance } from "./chance.ts";

/** An event as far as the script decides it: its type, and what it says beside. */
export type Expected = string;

type Act = { readonly expects: Expected; perform(user: User, invite: ApiInvite): void };

type Life = { readonly invite: ApiInvite; readonly acts: readonly Act[]; performed: number };

export type Lives = {
  /** Ids of the invites that were ever there, with the events of each in their order. */
  readonly expected: ReadonlyMap<string, readonly Expected[]>;
  /** Ids of invites that were taken away. */
  readonly removed: ReadonlySet<string>;
  /** Goes on where it can. @param recorded how many events of an invite there are */
  advance(recorded: (inviteId: string) => number): void;
};

const FAR = { invited_on: "2098-01-01T00:00:00Z", expires_on: "2099-01-01T00:00:00Z" } as const;
const LATER = "2099-06-01T00:00:00Z";
const LIVES_AT_ONCE = 6;

const arrive: Act = { expects: "invite.received", perform: (user, invite) => user.invites.put(invite) };
const move: Act = {
  expects: "invite.changed",
  perform: (user, { id }) => user.invites.update(id, { expires_on: LATER }),
};
const accept: Act = {
  expects: "invite.status_changed accepted",
  perform: (user, { id }) => user.invites.update(id, { status: "accepted" }),
};
const reject: Act = {
  expects: "invite.status_changed rejected",
  perform: (user, { id }) => user.invites.update(id, { status: "rejected" }),
};
/** Answered, and not listed any more: its id tells, and if that is not known either, the membership. */
const acceptAway: Act = {
  expects: "invite.status_changed accepted",
  perform(user, invite) {
    user.memberships.put(membershipOf(invite));
    user.invites.update(invite.id, { status: "accepted" });
    user.invites.unlist(invite.id);
  },
};
const withdraw: Act = { expects: "invite.withdrawn", perform: (user, { id }) => user.invites.remove(id) };

/** @param number tells the invites of this user from those of others */
export function createLives(user: User, number: number, chance: Chance): Lives {
  const lives: Life[] = [];
  const expected = new Map<string, Expected[]>();
  const removed = new Set<string>();
  const begin = () => {
    const ends = [[], [accept], [reject], [acceptAway], [withdraw], [withdraw]];
    const acts = [arrive, ...(chance.hits(0.3) ? [move] : []), ...chance.pick(ends)];
    lives.push({ invite: sampleInvite({ ...FAR }, number * 100_000 + lives.length), acts, performed: 0 });
  };
  const act = (life: Life) => {
    const next = life.acts[life.performed];
    if (next === undefined) return;
    next.perform(user, life.invite);
    life.performed += 1;
    const { id } = life.invite;
    expected.set(id, [...(expected.get(id) ?? []), next.expects]);
    if (next === withdraw) removed.add(id);
  };
  return {
    expected,
    removed,
    advance(recorded) {
      if (lives.filter((life) => life.performed < life.acts.length).length < LIVES_AT_ONCE && chance.hits(0.1)) begin();
      for (const life of lives) if (recorded(life.invite.id) >= life.performed && chance.hits(0.15)) act(life);
    },
  };
}
