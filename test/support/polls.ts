/** Stories of one watch for laws: any sequence of polls, whatever the API, the network and the clock do. */
import fc from "fast-check";
import { type Diff, type DiffInput, diff } from "../../src/domain/diff.ts";
import type { Invite, ListedInvite } from "../../src/domain/invite.ts";
import type { Snapshot, Whereabouts } from "../../src/domain/snapshot.ts";
import { after, complete, diffInput, failed, incomplete, listed, NOW, shortfall } from "./build.ts";
import { DAY, HOUR, MINUTE } from "./durations.ts";

/** One poll: what it returned, what became of each invite that it may lack, and the time that passed before it. */
export type Poll = {
  readonly passedMs: number;
  readonly kind: Snapshot["kind"];
  readonly invites: readonly ListedInvite[];
  readonly whereabouts: readonly (readonly [id: string, found: Whereabouts])[];
};

const IDS = ["a", "b", "c", "d"];
const STATUSES = [
  "pending",
  "pending",
  "pending",
  "pending",
  "pending",
  "accepted",
  "rejected",
  "expired",
  "PENDING",
  "on_hold",
  null,
];

const ENDS = [-HOUR, HOUR / 2, 20 * HOUR, 2 * DAY, 9 * DAY, 40 * DAY, 50 * DAY].map((ms) => after(ms));

const listing = (id: string): fc.Arbitrary<ListedInvite> =>
  fc
    .record({
      apiStatus: fc.constantFrom(...STATUSES),
      organizationId: fc.constantFrom("org 1", "org 2", null),
      organizationName: fc.constantFrom("Acme", "Acme Corp"),
      roles: fc.shuffledSubarray(["Administrator", "Billing", "DNS"]),
      invitedAt: fc.constantFrom(after(-HOUR), after(-4 * DAY), null),
      expiresAt: fc.constantFrom(null, ...ENDS),
      extra: fc.constantFrom(null, { seats: 3 }),
    })
    .map((fields) => listed({ ...fields, id, oddities: odditiesOf(fields.apiStatus) }));

function odditiesOf(apiStatus: string | null): readonly string[] {
  if (apiStatus === null) return ["status missing"];
  return apiStatus === "on_hold" ? ["status is none that we know"] : [];
}

/** What the API may say of one id: few things, so that it often says again what it said before. */
type Sayings = readonly ListedInvite[];

const sayings: fc.Arbitrary<readonly Sayings[]> = fc.tuple(
  ...IDS.map((id) => fc.array(listing(id), { minLength: 1, maxLength: 2 })),
);

const whereaboutsOf = (said: Sayings): fc.Arbitrary<Whereabouts> =>
  fc.constantFrom<Whereabouts>(
    ...Array.from({ length: 4 }, () => ({ kind: "absent", evidence: "404" }) as const),
    { kind: "accepted", evidence: "a membership" },
    { kind: "unknown", shortfall: shortfall() },
    ...said.map((invite) => ({ kind: "found", invite }) as const),
  );

const pollOf = (all: readonly Sayings[]): fc.Arbitrary<Poll> =>
  fc.record({
    passedMs: fc.constantFrom(0, 1, MINUTE, 15 * MINUTE, 6 * HOUR, DAY),
    kind: fc.constantFrom<Snapshot["kind"]>("complete", "complete", "complete", "incomplete", "failed"),
    invites: fc.shuffledSubarray([...all]).chain((some) => fc.tuple(...some.map((said) => fc.constantFrom(...said)))),
    whereabouts: fc.tuple(
      ...all.map((said, nth) => whereaboutsOf(said).map((found) => [IDS[nth] as string, found] as const)),
    ),
  });

export const polls: fc.Arbitrary<readonly Poll[]> = sayings.chain((all) =>
  fc.array(pollOf(all), { minLength: 1, maxLength: 8 }),
);

/** One poll of a story, with what the diff made of it. */
export type Step = { readonly input: DiffInput; readonly result: Diff; readonly after: ReadonlyMap<string, Invite> };

/** Plays the polls from nothing known, and keeps what is known from one to the next. */
export function play(story: readonly Poll[]): readonly Step[] {
  let known: ReadonlyMap<string, Invite> = new Map();
  let hasBaseline = false;
  let now = NOW;
  return story.map((told) => {
    now = after(told.passedMs, now);
    const invitedBefore = new Set([...known.values()].flatMap(({ organizationId }) => organizationId ?? []));
    const input = { ...diffInput(pollInput(told, now)), known, invitedBefore, hasBaseline, now };
    const result = diff(input);
    known = new Map([...known, ...result.invites.map((invite) => [invite.id, invite] as const)]);
    hasBaseline ||= told.kind === "complete";
    return { input, result, after: known };
  });
}

/** The poll's snapshot, taken now, and what was found out of invites that it lacks. */
function pollInput(told: Poll, now: Date): Pick<DiffInput, "snapshot" | "whereabouts"> {
  return { snapshot: snapshotOf(told, now), whereabouts: new Map(told.whereabouts) };
}

function snapshotOf({ kind, invites }: Poll, takenAt: Date): Snapshot {
  if (kind === "failed") return failed({ takenAt });
  return kind === "complete" ? complete(invites, takenAt) : incomplete({ invites, takenAt });
}
