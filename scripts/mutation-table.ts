/** Ways to break the promise, each with the tests that must notice it. docs/guarantees.md says what they stand for. */
import type { Mutation } from "./mutation.ts";
import { DELIVERY_MUTATIONS } from "./mutations-of-delivery.ts";
import { SURROUNDINGS_MUTATIONS } from "./mutations-of-surroundings.ts";

const PROMISE = "test/app/promise.test.ts";
const DELIVER = "test/app/deliver.test.ts";
const SYNC = "test/app/sync.test.ts";
const RECORDING = "test/app/sync-recording.test.ts";

const TELLING: readonly Mutation[] = [
  {
    name: "only the first of several recipients is told",
    file: "src/domain/plan.ts",
    find: "    for (const { recipient, rules } of routed) {\n",
    replace: "    for (const { recipient, rules } of routed.slice(0, 1)) {\n",
    tests: {
      "test/domain/plan.test.ts": ["are one for each recipient, of all that it found"],
      [PROMISE]: ["where the mail server refuses every mail for now, once"],
    },
  },
  {
    name: "a held mail is dropped without a reason",
    file: "src/domain/release.ts",
    find: "    dropped: pruned.flatMap(({ dropped }) => dropped),\n",
    replace: "    dropped: [],\n",
    tests: {
      "test/domain/release-laws.test.ts": [
        "every event of every mail is then in a mail that is kept, or dropped with a reason, or still held",
      ],
      "test/domain/release.test.ts": ["tell with a reason what they tell no more"],
    },
  },
  {
    name: "an outcome cancels what was never told",
    file: "src/domain/release.ts",
    find: `  if (event.type !== "invite.expiring") return null;\n`,
    replace: "",
    tests: {
      "test/domain/release.test.ts": ["everything but reminders is told although the invite is answered meanwhile"],
      [PROMISE]: ["where the invitation is answered before its mail could leave"],
    },
  },
  {
    name: "a silence covers that a watch is blind",
    file: "src/domain/silence.ts",
    find: "  if (invite === null || silences.length === 0) return null;\n",
    replace: "  if (invite === null) return silences[0] ?? null;\n",
    tests: {
      "test/domain/silence.test.ts": ["what concerns no invite is never silenced: that a watch is blind is told"],
      "test/domain/plan.test.ts": ["never covers that a watch is blind, or sees again"],
    },
  },
  {
    name: "that a mail was given up is no event",
    file: "src/adapters/postgres/outbox-record.ts",
    find: "  await recordDeaths(tx, dead, dead[0]?.at ?? new Date(0));\n",
    replace: "",
    tests: {
      [DELIVER]: ["is an event of the history, which still verifies"],
      [PROMISE]: ["in the history, with the reason", "in the next mail"],
    },
  },
  {
    name: "the next mail does not tell of one that was given up",
    file: "src/adapters/postgres/outbox-claim.ts",
    find: "const untold = await readUntold(tx, toDecide, now);",
    replace: "const untold = (await readUntold(tx, toDecide, now)).slice(0, 0);",
    tests: { "test/app/alerts.test.ts": ["is told in the next mail, once"], [PROMISE]: ["in the next mail"] },
  },
  {
    name: "mail that was given up is no reason not to be ready",
    file: "src/app/readiness.ts",
    find: "    ...(mail.dead > 0 ? [givenUp(mail.dead)] : []),\n",
    replace: "",
    tests: { [PROMISE]: ["in `/readyz`, which answers 503", "in `status`, which exits 1"] },
  },
];

const READING: readonly Mutation[] = [
  {
    name: "a list that is shorter than its count says is taken for whole",
    file: "src/adapters/cloudflare/listing.ts",
    find: "  if (total !== null && rows.size !== total) {\n",
    replace: "  if (total !== null && rows.size > total) {\n",
    tests: {
      "test/adapters/cloudflare/snapshot.test.ts": ["the documentation's own example is not provably complete"],
      [PROMISE]: ["an empty list that is not all", "a list that is shorter than its count"],
    },
    faults: { only: "mail:1", says: /invite\.withdrawn/ },
  },
  {
    name: "a read that fell short is taken for complete",
    file: "src/adapters/cloudflare/source.ts",
    find: "      if (shortfall === null) return {",
    replace: "      if (shortfall === null || pages > 0) return {",
    tests: {
      [SYNC]: ["gives what its pages held, and takes nothing away"],
      [PROMISE]: ["an error on the second page", "a second page that breaks off"],
    },
  },
  {
    name: "an incomplete snapshot takes away what it lacks",
    file: "src/domain/diff.ts",
    find: `  if (input.snapshot.kind !== "complete") return { invite: before, events: [] };\n`,
    replace: "",
    tests: { "test/domain/laws.test.ts": ["changes nothing of an invite that it lacks but what the clock does"] },
  },
  {
    name: "an invite is withdrawn at the first miss",
    file: "src/domain/diff.ts",
    find: `      if (before.missingSince === null || isFuture(before.missingSince, input.now))
        return { invite: { ...unlisted, missingSince: takenAt }, events: [] };
      // The snapshot that missed it first is no second one, however often it is told.
      if (takenAt <= before.missingSince) return { invite: unlisted, events: [] };\n`,
    replace: "      before = { ...before, missingSince: before.missingSince ?? takenAt };\n",
    tests: { [SYNC]: ["is withdrawn at the second complete sync, and returned when it is listed again"] },
  },
  {
    name: "a snapshot taken before the last one is recorded",
    file: "src/app/sync.ts",
    find: "  if (isStale(snapshot, known)) {\n",
    replace: "  if (false) {\n",
    tests: { [RECORDING]: ["is discarded: it is a row of the ledger and changes nothing else"] },
  },
];

const HISTORY: readonly Mutation[] = [
  {
    name: "the jobs of the mails are not in the transaction of the sync",
    file: "src/adapters/postgres/queue.ts",
    find: "      await boss.insert(DELIVER, jobs, { db: fromPrisma(tx) });\n",
    replace: "      await boss.insert(DELIVER, jobs);\n",
    tests: {
      [RECORDING]: ["after the jobs are written leaves nothing, and the next one finds it all"],
      "test/adapters/postgres/queue.test.ts": ["is not there where the transaction that owes the mail was rolled back"],
    },
  },
  {
    name: "a mail is owed without a job",
    file: "src/adapters/postgres/sync-store.ts",
    find: "    await enqueueDeliveries(tx, ids, at === undefined ? undefined : new Date(at));\n",
    replace: "",
    tests: {
      [RECORDING]: ["is the mail and its job beside the event"],
      [PROMISE]: ["where the mail server refuses every mail for now, once"],
    },
  },
  {
    name: "an event is not linked to the one before it",
    file: "src/domain/chain.ts",
    find: "    prevHash = hash;\n",
    replace: "",
    tests: {
      "test/domain/chain.test.ts": ["go on counting where the head stands, each with the hash of the one before it"],
      [SYNC]: ["is withdrawn at the second complete sync, and returned when it is listed again"],
    },
  },
  {
    name: "a chain whose links do not fit verifies",
    file: "src/domain/chain.ts",
    find: `  if (event.prevHash !== head.hash) return "its prevHash is not the hash of the event before it";\n`,
    replace: "",
    tests: { "test/domain/chain.test.ts": ["is said of one whose predecessor was replaced"] },
  },
];

export const MUTATIONS: readonly Mutation[] = [
  ...DELIVERY_MUTATIONS,
  ...TELLING,
  ...READING,
  ...HISTORY,
  ...SURROUNDINGS_MUTATIONS,
];
