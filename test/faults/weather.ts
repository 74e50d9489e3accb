/**
 * Random weather: two replicas on one Postgres, while the API, the mail server, the database and the replicas fail by
 * chance. Then it clears, and everything must be as if nothing had been.
 *
 * What waits for its time comes nearer sixty times as fast as the clock on the wall goes.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { demoCredentials, type StandIn, type User } from "../../src/demo/cloudflare.ts";
import { hexId } from "../../src/demo/sample-invite.ts";
import { MIGRATED } from "../support/database.ts";
import { failSome, lag } from "./api-weather.ts";
import { type Chance, createChance } from "./chance.ts";
import { warmUp } from "./daemon.ts";
import { createLives, type Lives } from "./lives.ts";
import { LOCK_PATIENCE, passLease, passTime } from "./passing-time.ts";
import type { PostOffice } from "./post-office.ts";
import { createReplica, type Replica } from "./replica.ts";
import { openRunDatabase, openStandIns } from "./stand-ins.ts";
import { until } from "./until.ts";
import { isQuiet, readRecorded, type Told, weatherFaults } from "./weather-report.ts";

export type WeatherOptions = {
  readonly seed: string;
  readonly watches: number;
  readonly seconds: number;
  readonly progress: (text: string) => void;
};

export type WeatherSummary = {
  readonly seed: string;
  /** In sentences. */
  readonly faults: readonly string[];
  readonly simulatedHours: number;
  readonly happenings: number;
  readonly events: number;
  readonly mails: number;
  readonly repeats: number;
};

const TICK_MS = 200;
const SPEED = 60;
/** The clocks of two machines never agree. */
const SLOW_CLOCK = new URL("./slow-clock.mjs", import.meta.url).href;
const REPLICAS = { first: {}, second: { NODE_OPTIONS: `--import=${SLOW_CLOCK}`, CLOCK_BEHIND_MS: "700" } } as const;
const PATIENCE_MS = 60_000;

type World = {
  readonly api: StandIn;
  readonly users: ReadonlyMap<string, User>;
  readonly office: PostOffice;
  readonly replicas: readonly Replica[];
  readonly client: Client;
  readonly url: string;
  readonly lives: readonly (Told & Pick<Lives, "advance">)[];
};

/** One weather from beginning to end. */
export async function weather({ seed, watches, seconds, progress }: WeatherOptions): Promise<WeatherSummary> {
  await warmUp();
  await using stack = new AsyncDisposableStack();
  const chance = createChance(seed);
  const world = await createWorld(stack, chance, watches);
  const startedAt = Date.now();
  for (const replica of world.replicas) replica.start();
  const happenings = await storm(world, chance.fork("storm"), startedAt + seconds * 1_000);
  await clear(world);
  progress(`seed ${seed}: ${happenings} faults in ${seconds} s; it clears`);

  const faults: string[] = [];
  try {
    await until("quiet", () => becomesQuiet(world), PATIENCE_MS);
  } catch (error) {
    faults.push((error as Error).message);
  }
  const simulatedHours = ((Date.now() - startedAt) * SPEED) / 3_600_000;
  for (const replica of world.replicas) await replica.close();
  faults.push(...world.replicas.flatMap((replica) => replica.faults));
  faults.push(...(await weatherFaults(world.client, world.url, world.lives, world.office.accepted)));
  const { accepted } = world.office;
  const mails = new Set(accepted.map(({ messageId }) => messageId)).size;
  const events = world.lives.reduce((sum, { expected }) => sum + [...expected.values()].flat().length, 0);
  return { seed, faults, simulatedHours, happenings, events, mails, repeats: accepted.length - mails };
}

async function createWorld(stack: AsyncDisposableStack, chance: Chance, watches: number): Promise<World> {
  const { url, client } = await openRunDatabase(stack, MIGRATED, LOCK_PATIENCE);
  const { api, office } = await openStandIns(stack);

  const names = Array.from({ length: watches }, (_, index) => `watch-${index + 1}`);
  const tokenOf = (name: string) => `token_${hexId(name)}_of_${name}`;
  const users = new Map(
    names.map((name) => [
      tokenOf(name),
      api.addUser({ ...demoCredentials, token: tokenOf(name), email: `${name}@example.com` }),
    ]),
  );
  const lives = names.map((watch, index) => ({
    watch,
    recipients: ["ops@example.com", `${watch}@example.com`],
    ...createLives(users.get(tokenOf(watch)) as User, index + 1, chance.fork(watch)),
  }));
  const folder = await mkdtemp(join(tmpdir(), "invitewatch-weather-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const config = {
    // Fifty watches cannot all be asked every other second on a small machine.
    schedule: watches > 10 ? "*/10 * * * * *" : "*/2 * * * * *",
    floodCap: 10_000,
    mail: { from: "invites@example.com" },
    watches: lives.map(({ watch, recipients }) => ({ name: watch, apiToken: tokenOf(watch), to: recipients })),
  };
  const configPath = join(folder, "config.yaml");
  await writeFile(configPath, JSON.stringify(config));
  const settings = { INVITEWATCH_CONFIG: configPath, SYNC_DEADLINE: "4s" };
  const lines = { postgres: url, smtp: office.url, http: api.url };
  const replicas: Replica[] = [];
  for (const [name, clock] of Object.entries(REPLICAS)) {
    const replica = await createReplica(`the ${name} replica`, lines, { ...settings, ...clock });
    stack.defer(() => replica.close());
    replicas.push(replica);
  }
  return { api, users, office, replicas, client, url, lives };
}

/** Things go wrong until it is time. @returns how many did */
async function storm(world: World, chance: Chance, endsAt: number): Promise<number> {
  let happenings = 0;
  const calming: { at: number; calm: () => Promise<void> | void }[] = [];
  for (; Date.now() < endsAt; await delay(TICK_MS)) {
    for (const due of calming.filter(({ at }) => at <= Date.now())) {
      calming.splice(calming.indexOf(due), 1);
      await due.calm();
    }
    if (chance.hits(0.35)) {
      const calm = await happen(world, chance);
      happenings += 1;
      if (calm !== null) calming.push({ at: Date.now() + chance.between(300, 4_000), calm });
    }
    await goOn(world);
  }
  for (const { calm } of calming) await calm();
  return happenings;
}

/** One thing goes wrong. @returns what ends it, or null */
async function happen(world: World, chance: Chance): Promise<(() => Promise<void> | void) | null> {
  const { api, office, client, url } = world;
  const replica = chance.pick(world.replicas);
  const mishaps = chance.fork(`mishaps ${chance.next()}`);
  const kinds: readonly (() => Promise<(() => Promise<void> | void) | null>)[] = [
    async () => {
      failSome(api, chance, world.lives.length);
      return null;
    },
    async () => {
      lag(api, (token) => world.users.get(token));
      return () => api.clearFailures();
    },
    async () => {
      office.misbehave(() =>
        mishaps.hits(0.6) ? mishaps.pick(["greylist", "dropBefore", "dropAfter"] as const) : null,
      );
      return () => office.misbehave(null);
    },
    async () => {
      await office.leave();
      return () => office.comeBack();
    },
    async () => {
      replica.cut();
      return null;
    },
    async () => {
      await replica.kill();
      await passLease(client, url);
      return () => replica.start();
    },
    async () => {
      replica.pause();
      await passLease(client, url);
      return () => replica.goOn();
    },
  ];
  return chance.pick(kinds)();
}

/** Time passes: in the API, and for what waits. */
async function goOn({ client, lives }: World): Promise<void> {
  await passTime(client, (TICK_MS / 1_000) * SPEED);
  const recorded = Map.groupBy(await readRecorded(client), ({ watch, inviteId }) => `${watch} ${inviteId}`);
  for (const { watch, advance } of lives) advance((id) => recorded.get(`${watch} ${id}`)?.length ?? 0);
}

async function clear({ api, office, replicas, client, url }: World): Promise<void> {
  api.clearFailures();
  office.misbehave(null);
  await office.comeBack();
  for (const replica of replicas) {
    replica.goOn();
    replica.start();
  }
  await passLease(client, url);
}

/** Lets the hours pass in which the last retries are made. */
async function becomesQuiet({ client, lives }: World): Promise<boolean> {
  await passTime(client, SPEED);
  return isQuiet(client, lives);
}
