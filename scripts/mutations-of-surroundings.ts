/** Ways to trust a clock, a database, a mail server or an API too much, each with the tests that must notice it. */
import type { Mutation } from "./mutation.ts";

const CLOCKS: readonly Mutation[] = [
  {
    name: "a sync that was recorded in what is now the future supersedes the later ones",
    file: "src/adapters/postgres/ledger.ts",
    find: `\n        AND started_at <= \${now}) AS taken_at,`,
    replace: ") AS taken_at,",
    tests: { "test/app/wrong-clock.test.ts": ["a sync that was recorded two days ahead supersedes nothing"] },
  },
  {
    name: "a sync that lies in the future counts as a recent one",
    file: "src/domain/elapsed.ts",
    find: "return Number.POSITIVE_INFINITY;",
    replace: "return 0;",
    tests: {
      "test/app/schedule.test.ts": ["at the start where the last complete one lies in what is now the future"],
    },
  },
  {
    name: "a clock that is set back leaves the next slot where it was",
    file: "src/schedule/plan.ts",
    find: "  if (setBack) return { run: null, next: slots.after(now) };\n",
    replace: "",
    tests: {
      "test/scheduler.test.ts": [
        "a clock that is set back eight hours stops nothing: the next slot is that of the new time",
      ],
    },
  },
  {
    name: "a mail waits for an instant that a clock set back has put out of reach",
    file: "src/adapters/postgres/outbox-forgotten.ts",
    find: "resumeSetBack(tx, now)",
    replace: "[]",
    tests: {
      "test/app/wrong-clock.test.ts": [
        "a mail does not wait for an instant that a clock set back has put out of reach",
      ],
    },
  },
  {
    name: "when a mail is due is said by the wrong clock",
    file: "src/adapters/postgres/queue.ts",
    find: "clock === null ? startAfter : secondsUntil(startAfter, clock)",
    replace: "startAfter",
    tests: { "test/app/wrong-clock.test.ts": ["what is due now by our clock is due now by the database's"] },
  },
];

const DATABASES: readonly Mutation[] = [
  {
    name: "a process whose session broke is taken for dead",
    file: "src/adapters/postgres/queue-presence.ts",
    find: "return (await absent(missing.ids)).ids;",
    replace: "return missing.ids;",
    tests: {
      "test/adapters/postgres/queue-presence.test.ts": ["a process whose session was cut is not taken for dead"],
    },
  },
  {
    name: "nobody takes over what a dead process had in hand",
    file: "src/adapters/postgres/queue-claims.ts",
    find: "for (const worker of await presence.gone(rows.map((row) => row.id))) given += await giveBack(worker);",
    replace: "",
    tests: {
      "test/e2e/takeover.test.ts": ["the sync of a killed daemon is taken over at once by the next one, on Postgres"],
    },
  },
  {
    name: "the jobs in hand are not written down",
    file: "src/adapters/postgres/queue-worker.ts",
    find: "      onTaken();\n",
    replace: "",
    tests: {
      "test/e2e/takeover.test.ts": ["a mail that a killed daemon was sending is sent at once by the next sync"],
    },
  },
  {
    name: "settings of the database change how values are written",
    file: "src/adapters/postgres/session.ts",
    find: "    ...MEANING,\n",
    replace: "",
    tests: {
      "test/adapters/postgres/settings.test.ts": ["datestyle = German, DMY", "extra_float_digits = -15"],
    },
  },
  {
    name: "a transaction behind a pooler has not our settings",
    file: "src/adapters/postgres/shared-session.ts",
    find: "text.replace(BEGINS, () => opening)",
    replace: "text",
    tests: {
      "test/adapters/postgres/settings.test.ts": ["all of it at once, through a pooler in transaction mode"],
    },
  },
  {
    name: "behind a pooler the options of the URL are dropped",
    file: "src/adapters/postgres/server.ts",
    find: "settingsOf({ ...session, given: options.given })",
    replace: "settingsOf({ ...session, given: session.shared ? {} : options.given })",
    tests: {
      "test/adapters/postgres/settings.test.ts": ["set limits through a pooler in transaction mode too"],
    },
  },
  {
    name: "the history can be changed where ordinary triggers are off",
    file: "prisma/migrations/20261127001433_events_always_refuse/migration.sql",
    find: "ENABLE ALWAYS",
    replace: "ENABLE",
    tests: {
      "test/adapters/postgres/append-only.test.ts": ["changes also in a session that turns ordinary triggers off"],
    },
  },
  {
    name: "a queue waits for a database that is gone without a word",
    file: "src/adapters/postgres/queue.ts",
    find: "await Promise.race([stopped(), delay(graceMs + LAST_WORDS_MS, undefined, { ref: false })]);",
    replace: "await stopped();",
    tests: {
      "test/adapters/postgres/queue.test.ts": ["a queue stops in time though its database is gone without a word"],
    },
  },
];

const PEERS: readonly Mutation[] = [
  {
    name: "a mail that decides to wait does not see that the mail server is well again",
    file: "src/adapters/postgres/outbox-claim.ts",
    find: "seen.downSince === null ? seen : await lockRelay(tx)",
    replace: "seen",
    tests: { "test/adapters/postgres/outbox-wake.test.ts": ["is due now, whichever of the two is written first"] },
  },
  {
    name: "a refusal that may be everybody's ends the mail",
    file: "src/domain/refusal-codes.ts",
    find: `["7", "unclear"]`,
    replace: `["7", "recipient"]`,
    tests: { "test/domain/refusal.test.ts": ["550 5.7.0 is unclear", "550 5.7.1 is unclear"] },
  },
  {
    name: "that the sender is refused at the recipient's turn is taken for the recipient's trouble",
    file: "src/domain/refusal.ts",
    find: "    clearWordsOf(answer) ??\n",
    replace: "",
    tests: {
      "test/app/refusals.test.ts": [
        "(sender) ends no mail, is told with what to do, and all leave once it is mended",
        "(relaying) ends no mail, is told with what to do, and all leave once it is mended",
      ],
    },
  },
  {
    name: "the people of a route get outcomes whose type it excludes",
    file: "src/domain/plan.ts",
    find: "isExcluded(recipient, about, audience.recipients, audience.routes)",
    replace: "false",
    tests: {
      "test/domain/plan.test.ts": [
        "is not told to the people of the route, although they were told of the invite",
        "is told to the watch's own recipients where that leaves nobody",
      ],
    },
  },
  {
    name: "a token that the API echoes in a success is kept",
    file: "src/adapters/cloudflare/client.ts",
    find: "maskJson(parseJson(received.body), received.body, mask)",
    replace: "parseJson(received.body)",
    tests: {
      "test/adapters/cloudflare/failure.test.ts": [
        "a credential that the API echoes in a success is kept and quoted nowhere",
      ],
    },
  },
];

export const SURROUNDINGS_MUTATIONS: readonly Mutation[] = [...CLOCKS, ...DATABASES, ...PEERS];
