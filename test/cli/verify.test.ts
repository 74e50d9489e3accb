import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type EventJson, eventJson } from "../../src/domain/chain.ts";
import { at, changedStatus, received, seededDatabase } from "../adapters/postgres/read-seed.ts";
import { runCommand } from "./command.ts";

const drafts = [received(), changedStatus("i1", "x", at("09:00")), changedStatus("i1", "y", at("10:00"))];

let own: EventJson[];
let others: EventJson[];

before(async () => {
  const exported = await seededDatabase("ops", "b");
  own = (await exported.events("ops", drafts)).map(eventJson);
  others = (await exported.events("b", drafts)).map(eventJson);
  await exported.close();
});

function verifyLines(rows: readonly unknown[], ...args: readonly string[]) {
  const stdin = rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`).join("");
  return runCommand(["verify", "-", ...args], { stdin });
}

test("a whole export of several watches is verified, with their heads", async () => {
  const [a, b, c] = own;
  const [d, e, f] = others;

  const { code, stdout } = await verifyLines([a, d, b, e, "", f, c]);

  assert.equal(code, 0);
  const heads = `ops: 3 events, head ${c?.hash}\nb: 3 events, head ${f?.hash}\n`;
  assert.ok(stdout.startsWith(`6 events of 2 watches verified.\n${heads}`), stdout);
  assert.match(stdout, /\nA chain does not show by itself whether its newest events were cut off: .*--head/);
});

const tampered: readonly (readonly [string, () => readonly unknown[], string])[] = [
  [
    "edited data",
    () => own.map((row) => (row.seq === 2 ? { ...row, data: { ...(row.data as object), to: "z" } } : row)),
    "ops/2: its content does not give its hash",
  ],
  [
    "an edited time",
    () => own.map((row) => (row.seq === 3 ? { ...row, recordedAt: row.occurredAt } : row)),
    "ops/3: its content does not give its hash",
  ],
  ["an added key", () => own.map((row) => ({ ...row, note: "x" })), "ops/1: its content does not give its hash"],
  ["a removed row", () => own.filter((row) => row.seq !== 2), "ops/3: event 2 is missing"],
  [
    "a removed beginning",
    () => own.slice(2),
    "ops/3: events 1 to 2 are missing before it; only an export without filters, oldest first, can be verified",
  ],
  ["two rows in the other order", () => [own[0], own[2], own[1]], "ops/3: event 2 is missing"],
  ["a row twice", () => [own[0], own[1], own[1]], "ops/2: event 2 comes again after event 2"],
  [
    "a row of another watch in its place",
    () => [own[0], { ...others[1], watch: "ops" }, own[2]],
    "ops/2: its prevHash is not the hash of the event before it",
  ],
  [
    "half a character",
    () => [JSON.stringify(own[0]).replace("Acme", "\\ud800")],
    "ops/1: its content cannot have been recorded",
  ],
  ["a line that is no JSON", () => [own[0], "{"], "line 2 is not JSON; an export is NDJSON, one event a line"],
  [
    "a line that is no event",
    () => [own[0], { ...own[1], hash: undefined }],
    "line 2 is not an event; an export has whole events, one a line",
  ],
  ["nothing at all", () => [], "there is no event to verify"],
];

for (const [what, rows, sentence] of tampered) {
  test(`in an export ${what} is found`, async () => {
    const { code, stdout } = await verifyLines(rows());

    assert.deepEqual([code, stdout], [1, `Broken: ${sentence}.\n`]);
  });
}

test("a cut tail shows against the head that was noted", async () => {
  const head = own[2]?.hash ?? "";

  const whole = await verifyLines(own, "--head", head.toUpperCase());
  const cut = await verifyLines(own.slice(0, 2), "--head", head);

  assert.equal(whole.code, 0);
  assert.match(whole.stdout, /\nThe head that was asked for is event ops\/3\.\n$/);
  assert.equal(cut.code, 1);
  assert.match(cut.stdout, new RegExp(`^Broken: no event has the hash ${head}: `));
});
