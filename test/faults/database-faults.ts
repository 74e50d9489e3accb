/** The ways in which the database fails, for real wherever that can be had. */
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { runProgram } from "../support/program.ts";
import { createChance } from "./chance.ts";
import type { DatabaseFault, World } from "./disturbed-run.ts";
import type { Gate, Statement } from "./gate.ts";
import { type Database, RECIPIENTS } from "./job.ts";
import { passLease } from "./passing-time.ts";
import { AGAINST_RECORDING, AGAINST_RELEASE, deadlock } from "./rivals.ts";
import { until } from "./until.ts";

type Form = "short" | "long";

/** Those of the form. The long one waits for what takes its time. */
export function databaseFaults(form: Form): readonly DatabaseFault[] {
  if (form === "short") {
    return [
      restarts(["fast", "immediate"]),
      failover(6),
      deadlocks(),
      pausedFor(RELEASE, 2),
      diskFullFor(4),
      silently(disturbing("the disk is full at every 4th commit", "53100", every(4, isCommit))),
      byChance(["40001", "57014", "57P01"], { oneOf: 10, seconds: 10 }),
    ];
  }
  return [
    restarts(["fast", "fast", "fast"]),
    restarts(["immediate", "immediate", "immediate"]),
    failover(60),
    vanishing(),
    deadlocks(),
    pausedFor(RECORDING, null),
    pausedFor(RELEASE, null),
    diskFullFor(60),
    disturbing("the disk is full at every 2. commit", "53100", every(2, isCommit)),
    ...[3, 4, 7].map((k) =>
      silently(disturbing(`the disk is full at every ${k}. commit`, "53100", every(k, isCommit))),
    ),
    ...[2, 3, 5].map((k) =>
      silently(disturbing(`the disk is full at every ${k}. lone change`, "53100", every(k, isLoneChange))),
    ),
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) =>
      silently(disturbing(`the disk is full at commit ${n}`, "53100", once(n, isCommit))),
    ),
    ...["40001", "40P01", "57014", "57P01", "53100"].map((code) => byChance([code], { oneOf: 10, seconds: 40 })),
    byChance(["40001", "57014", "57P01", "53100"], { oneOf: 10, seconds: 40, ofQueue: true }),
  ];
}

const PROMPT_MS = 10_000;
/** For how long the program waits for a word from the server. */
const GIVEN_UP_AFTER_MS = 60_000;

const RECORDING = /^INSERT INTO event/;
const RELEASE = /^UPDATE notification n SET kind/;
const START = /^WITH locked AS/;
const RECEIPT = /^WITH attempted AS/;

const isCommit = ({ what }: Statement) => what === "COMMIT";
const isChange = ({ what }: Statement) => /^(INSERT|UPDATE|WITH|DELETE)/.test(what);
/** One of the program's own, outside of a transaction. */
const isLoneChange = (statement: Statement) =>
  !statement.inTransaction && isChange(statement) && !isOfQueue(statement.what);
const isOfQueue = (what: string) => what.includes("pgboss");

type Choice = (statement: Statement) => boolean;

/** Every K-th of those that match. */
function every(k: number, matches: Choice): Choice {
  let count = 0;
  return (statement) => {
    if (!matches(statement)) return false;
    count += 1;
    return count % k === 0;
  };
}

/** The N-th of those that match. */
function once(n: number, matches: Choice): Choice {
  let count = 0;
  return (statement) => {
    if (!matches(statement)) return false;
    count += 1;
    return count === n;
  };
}

const MESSAGES: Readonly<Record<string, string>> = {
  "40001": "could not serialize access due to concurrent update",
  "40P01": "deadlock detected",
  "53100": 'could not extend file "base/16384/16385": No space left on device',
  "57014": "canceling statement due to user request",
};

/** A statement that fails with the code in place of another; a commit is then none. */
function failingWith(code: string, { what }: Statement): string {
  if (code === "57P01") return "SELECT pg_terminate_backend(pg_backend_pid())";
  const failing = `DO $$ BEGIN RAISE EXCEPTION '${MESSAGES[code]}' USING ERRCODE = '${code}'; END $$`;
  return what === "COMMIT" ? `ROLLBACK; ${failing}` : failing;
}

function disturbing(name: string, code: string, chosen: Choice): DatabaseFault {
  return {
    name,
    says: new RegExp(`\\(${code}\\)`),
    byRule: true,
    async strike({ gate }) {
      gate.rule((statement) => (chosen(statement) ? failingWith(code, statement) : null));
    },
  };
}

/** What is done for many mails at once and fails is done again for each, at once and without a word. */
function silently(fault: DatabaseFault): DatabaseFault {
  return { ...fault, says: null };
}

type Chances = {
  /** One of so many statements fails. */
  readonly oneOf: number;
  readonly seconds: number;
  /** Whether also the queue's own. */
  readonly ofQueue?: boolean;
};

function byChance(codes: readonly string[], { oneOf, seconds, ofQueue = false }: Chances): DatabaseFault {
  const chance = createChance(codes.join());
  const chosen = ({ what }: Statement) => (ofQueue || !isOfQueue(what)) && chance.hits(1 / oneOf);
  let turn = 0;
  return {
    name: `one of ${oneOf} statements${ofQueue ? "" : " of our own"} ends with ${codes.join(", ")}`,
    says: new RegExp(`\\((${codes.join("|")})\\)`),
    byRule: true,
    async strike({ gate }) {
      gate.rule((statement) => (chosen(statement) ? failingWith(codes[turn++ % codes.length] ?? "", statement) : null));
      await delay(seconds * 1_000);
      gate.rule(null);
    },
  };
}

/** From the second that a sync is being recorded. */
function diskFullFor(seconds: number): DatabaseFault {
  return {
    name: `the disk is full for ${seconds} s`,
    says: /The disk of the database at \S+ is full \(53100\)/,
    byRule: true,
    async strike({ gate, database }) {
      await reaches(gate, RECORDING, async () => {});
      gate.rule((statement) => (isChange(statement) || isCommit(statement) ? failingWith("53100", statement) : null));
      await delay(seconds * 1_000);
      gate.rule(null);
      await syncsSoon(database);
    },
  };
}

/** First while a sync is being recorded, then before a mail is sent, and then while a receipt is written. */
function restarts(hows: readonly ("fast" | "immediate")[]): DatabaseFault {
  return {
    name: `Postgres is restarted: ${hows.join(", ")}`,
    ownServer: true,
    says: /database at \S+ (cannot be reached|broke|ended the connection|takes no connections)/,
    async strike({ gate, restart }) {
      const moments = [RECORDING, START, RECEIPT];
      for (const [nth, how] of hows.entries()) await reaches(gate, moments[nth] ?? RECORDING, () => restart(how));
    },
  };
}

function deadlocks(): DatabaseFault {
  return {
    name: "deadlocks, with a sync and with a mail",
    says: /to end a deadlock \(40P01\)/,
    async strike({ url }) {
      await deadlock(url, AGAINST_RECORDING);
      await deadlock(url, AGAINST_RELEASE);
    },
  };
}

/**
 * The process stands still in the middle of a transaction, while it holds the lock of a watch or a recipient. Another does
 * its work meanwhile, within a minute.
 *
 * @param limitSeconds how long the server lets a transaction stand still; null is the program's own limit, and no time is
 *   made to pass then
 */
function pausedFor(statement: RegExp, limitSeconds: number | null): DatabaseFault {
  return {
    name: `a replica is paused at ${statement.source}`,
    // Of a mail that another has delivered there is nothing to say.
    says: statement === RELEASE ? null : /The connection to the database at \S+ broke/,
    parameters: limitSeconds === null ? "" : `?idle_in_transaction_session_timeout=${limitSeconds * 1_000}`,
    async strike({ gate, url, database, program, startAnother }) {
      await reaches(gate, statement, async () => void program.child.kill("SIGSTOP"));
      const pausedAt = Date.now();
      startAnother();
      if (limitSeconds !== null) await loseLeases(url);
      const isDelivered = async () => {
        const { rows } = await database.query<{ count: number }>(
          "SELECT count(*)::int AS count FROM notification WHERE kind = 'inventory' AND state = 'delivered'",
        );
        return rows[0]?.count === RECIPIENTS.length;
      };
      await until("another replica to deliver", isDelivered, pausedAt + 60_000 - Date.now());
      program.child.kill("SIGCONT");
    },
  };
}

async function loseLeases(url: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: "faults" });
  await client.connect();
  await passLease(client, url);
  await client.end();
}

/** First nobody answers, then the server says that it is starting, and then it is back. */
function failover(seconds: number): DatabaseFault {
  return {
    name: `a failover of ${seconds} s`,
    says: /database at \S+ (cannot be reached|takes no connections now)/,
    async strike({ gate, settings, database }) {
      await reaches(gate, RECORDING, async () => gate.leave());
      await delay(seconds * 500);
      const readiness = await readinessOf(settings);
      const status = await runProgram(["status"], settings);
      await gate.start();
      await delay(seconds * 500);
      await gate.comeBack();
      await syncsSoon(database);
      if (!readiness.includes("503") || !readiness.includes("database_unreachable")) {
        throw new Error(`/readyz said during the failover: ${readiness}`);
      }
      if (status.code !== 1 || !status.stderr.includes("cannot be reached")) {
        throw new Error(`status said during the failover: ${status.code} ${status.stdout}${status.stderr}`);
      }
    },
  };
}

/** As when its host is gone and another takes its place: what was under way is never heard of again. */
function vanishing(): DatabaseFault {
  return {
    name: "the server vanishes without a word",
    says: /The database at \S+ does not answer in time/,
    async strike({ gate, database }) {
      await reaches(gate, RECORDING, async () => gate.vanish());
      await delay(GIVEN_UP_AFTER_MS);
      await syncsSoon(database);
    },
  };
}

/** Resolves when a sync is recorded. It must not take until somebody misses the heartbeat of the job that failed. */
async function syncsSoon(database: Database): Promise<void> {
  const isRecorded = async () => {
    const { rows } = await database.query<{ count: number }>("SELECT count(*)::int AS count FROM sync");
    return (rows[0]?.count ?? 0) > 0;
  };
  await until("the first sync, now that the database is back", isRecorded, PROMPT_MS);
}

async function readinessOf({ HTTP_PORT }: World["settings"]): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${HTTP_PORT}/readyz`);
  return `${response.status} ${await response.text()}`;
}

/** Resolves when such a statement was held at the gate for as long as it took to act. */
function reaches(gate: Gate, what: RegExp, act: () => Promise<void>): Promise<void> {
  const reached = Promise.withResolvers<void>();
  gate.rule(async (statement) => {
    if (what.test(statement.what)) {
      gate.rule(null);
      await act().then(reached.resolve, reached.reject);
    }
    return null;
  });
  return reached.promise;
}
