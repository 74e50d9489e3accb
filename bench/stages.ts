/** The stages beside the sync: what alerts cost, how fast owed mails leave, and how long one takes from end to end. */
import { runProgram, startMailServer } from "./children.ts";
import type { BenchDatabase } from "./databases.ts";
import {
  type AlertsMeasurement,
  type Deliveries,
  type LatencyMeasurement,
  type MailJob,
  type Owing,
  WARM_UP_MAILS,
} from "./job.ts";
import type { Surroundings } from "./rounds.ts";
import { median, quantile } from "./statistics.ts";

type Around = Omit<Surroundings, "api">;

/** Medians of the rounds, in ms. */
export type AlertsSummary = {
  readonly invites: number;
  readonly rounds: number;
  readonly mails: number;
  readonly recordMs: number;
  readonly planMs: number;
  readonly renderMs: number;
  /** Median of the rounds' ratios of planning and rendering to diff and record. */
  readonly toRecord: number;
};

export async function measureAlerts(invites: number, rounds: number, around: Around): Promise<AlertsSummary> {
  const measured = await inRounds("alerts", rounds, around, async (database, warmUp) => {
    const job = { databaseUrl: database.url, warmUpUrl: warmUp.url, invites };
    const one = await runProgram<AlertsMeasurement>("alerts", job, around.signal);
    around.tell(`alerts: record ${ms(one.recordMs)}, plan ${ms(one.planMs)}, render ${ms(one.renderMs)}`);
    return one;
  });
  const medianOf = (key: "mails" | "recordMs" | "planMs" | "renderMs") => median(measured.map((one) => one[key]));
  return {
    invites,
    rounds,
    mails: medianOf("mails"),
    recordMs: medianOf("recordMs"),
    planMs: medianOf("planMs"),
    renderMs: medianOf("renderMs"),
    toRecord: median(measured.map(({ recordMs, planMs, renderMs }) => (planMs + renderMs) / recordMs)),
  };
}

/** Medians of the rounds. */
export type DeliverySummary = {
  readonly mails: number;
  readonly rounds: number;
  readonly oursMs: number;
  readonly poolMs: number;
  /** Median of the rounds' ratios of speeds. */
  readonly oursToPool: number;
  readonly peakMb: number;
};

export async function measureDelivery(mails: number, rounds: number, around: Around): Promise<DeliverySummary> {
  const server = await startMailServer(around.signal);
  try {
    const measured = await inRounds("delivery", rounds, around, async (database, warmUp) => {
      const owed = await owe(mails, database, around);
      if (owed !== mails) throw new Error(`${owed} mails were owed, not ${mails}: the number must be divisible by 10`);
      await owe(WARM_UP_MAILS, warmUp, around);
      const job = { databaseUrl: database.url, warmUpUrl: warmUp.url, smtpUrl: server.url, mails };
      const run = async (program: string) => {
        const one = await runProgram<Deliveries>(program, job satisfies MailJob, around.signal);
        const taken = (await server.taken()) - WARM_UP_MAILS;
        if (one.mails !== mails || taken !== mails) {
          throw new Error(`${program} delivered ${one.mails} of ${mails} mails; the server took ${taken}`);
        }
        around.tell(`delivery: ${program} ${ms(one.ms)}, ${((mails * 1_000) / one.ms).toFixed(0)} mails a second`);
        return one;
      };
      return { ours: await run("deliveries"), pool: await run("pool") };
    });
    return {
      mails,
      rounds,
      oursMs: median(measured.map(({ ours }) => ours.ms)),
      poolMs: median(measured.map(({ pool }) => pool.ms)),
      oursToPool: median(measured.map(({ ours, pool }) => pool.ms / ours.ms)),
      peakMb: Math.max(...measured.map(({ ours }) => ours.peakMb)),
    };
  } finally {
    await server.close();
  }
}

/** In ms. */
export type LatencySummary = {
  readonly samples: number;
  readonly median: number;
  readonly p99: number;
  readonly floorMedian: number;
  readonly floorP99: number;
  /** Of the medians. */
  readonly oursToFloor: number;
};

export async function measureLatency(samples: number, around: Around): Promise<LatencySummary> {
  const server = await startMailServer(around.signal);
  try {
    const [measured] = await inRounds("latency", 1, around, (database) => {
      const job = { databaseUrl: database.url, smtpUrl: server.url, samples };
      return runProgram<LatencyMeasurement>("latency", job, around.signal);
    });
    const { latencies, floors } = measured ?? { latencies: [], floors: [] };
    const [ours, floor] = [median(latencies), median(floors)];
    around.tell(`latency: ${ours.toFixed(1)} ms, floor ${floor.toFixed(1)} ms`);
    return {
      samples,
      median: ours,
      p99: quantile(latencies, 0.99),
      floorMedian: floor,
      floorP99: quantile(floors, 0.99),
      oursToFloor: ours / floor,
    };
  } finally {
    await server.close();
  }
}

/** What each round measured, with two fresh databases of its own. */
async function inRounds<T>(
  name: string,
  rounds: number,
  { databases, signal, tell }: Around,
  measure: (database: BenchDatabase, other: BenchDatabase) => Promise<T>,
): Promise<readonly T[]> {
  const measured: T[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    signal.throwIfAborted();
    tell(`${name}: round ${round}`);
    const [database, other] = [await databases.create(), await databases.create()];
    try {
      measured.push(await measure(database, other));
    } finally {
      if (!signal.aborted) for (const one of [database, other]) await one.drop();
    }
  }
  return measured;
}

async function owe(mails: number, database: BenchDatabase, { signal }: Around): Promise<number> {
  const job = { databaseUrl: database.url, mails };
  const owed = await runProgram<Deliveries>("owe", job satisfies Owing, signal);
  await database.settle();
  return owed.mails;
}

function ms(duration: number): string {
  return `${duration.toFixed(0)} ms`;
}
