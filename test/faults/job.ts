/** The job whose every moment is a moment to be killed at: what happens in the API, step by step, and what must come of it. */
import { setTimeout as delay } from "node:timers/promises";
import type { QueryResultRow } from "pg";
import type { StandIn } from "../../src/demo/cloudflare.ts";
import { refusals, success } from "../../src/demo/cloudflare-answers.ts";
import { sampleInvite } from "../../src/demo/sample-invite.ts";

export const RECIPIENTS = ["ops@example.com", "lead@example.com"] as const;

/** One change in the API. */
export type Step = {
  readonly name: string;
  change(api: StandIn): void;
  /** How many syncs have to be recorded after it before the next one. */
  readonly syncs: number;
};

const FAR = { invited_on: "2098-01-01T00:00:00Z", expires_on: "2099-01-01T00:00:00Z" } as const;

const [first, second, third] = [1, 2, 3].map((number) => sampleInvite({ ...FAR }, number)) as [Sample, Sample, Sample];
type Sample = ReturnType<typeof sampleInvite>;

/** At the start two invites are there. */
export function prepare(api: StandIn): void {
  api.invites.replaceAll([first, second]);
}

const STEPS: readonly Step[] = [
  { name: "the baseline", change: () => {}, syncs: 1 },
  {
    name: "a third invite arrives, and the second ends later",
    change(api) {
      api.invites.put(third);
      api.invites.update(second.id, { expires_on: "2099-06-01T00:00:00Z" });
    },
    syncs: 1,
  },
  { name: "a lagging copy answers: one invite of three, and the others unknown", change: lag, syncs: 2 },
  {
    name: "the first is accepted, and the third withdrawn",
    change(api) {
      api.clearFailures();
      api.invites.accept(first.id);
      api.invites.remove(third.id);
    },
    syncs: 2,
  },
];

/** The count says that there are more than on the first. */
const PAGES_READ = 2;

/**
 * Two polls get pages that are short of what they say there is, while nothing is known by its id: only the count gives
 * it away. A third such poll would be news in itself.
 */
function lag(api: StandIn): void {
  const page = { count: 1, page: 1, per_page: 50, total_count: 3 };
  const body = success(api.invites.list().slice(0, 1), { result_info: page });
  api.fail({ kind: "answer", match: "/user/invites?", times: 2 * PAGES_READ, answer: { status: 200, body } });
  api.fail({ kind: "answer", match: "/user/invites/", answer: refusals.notFound });
}

/** What the history must be, whatever happens to the program. */
export const EVENTS: readonly string[] = [
  "watch.baseline",
  "invite.received",
  "invite.received",
  "invite.changed",
  "invite.received",
  "invite.changed",
  "invite.status_changed",
  "invite.withdrawn",
];

/** Kinds of the mails that each recipient must get. */
export const MAILS: readonly string[] = ["inventory", "invite.received", "invite.status_changed", "invite.withdrawn"];

/** Whoever answers questions about what is recorded. */
export type Database = {
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<{ readonly rows: readonly Row[] }>;
};

/** Plays the job to its end; whoever is at work meanwhile. */
export async function play(api: StandIn, database: Database, signal: AbortSignal): Promise<void> {
  for (const step of STEPS) {
    step.change(api);
    const changedAt = new Date();
    while (!(await isDone(database, changedAt, step.syncs))) await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

const LOOK_EVERY_MS = 40;

/** Enough syncs began after the change, and nothing is owed. */
async function isDone(database: Database, changedAt: Date, syncs: number): Promise<boolean> {
  const { rows } = await database.query<{ done: boolean }>(
    `SELECT (SELECT count(*) FROM sync WHERE started_at >= $1) >= $2
       AND NOT EXISTS (SELECT FROM notification WHERE state NOT IN ('delivered', 'dead', 'cancelled')) AS done`,
    [changedAt, syncs],
  );
  return rows[0]?.done === true;
}
