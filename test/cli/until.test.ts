import assert from "node:assert/strict";
import { test } from "node:test";
import { readUntil } from "../../src/cli/until.ts";
import { createZone } from "../../src/cli/zone.ts";

const now = new Date("2026-11-22T01:30:00Z");

for (const [text, zone, instant] of [
  ["2h", "UTC", "2026-11-22T03:30:00.000Z"],
  ["1d12h", "UTC", "2026-11-23T13:30:00.000Z"],
  ["tomorrow", "UTC", "2026-11-23T00:00:00.000Z"],
  ["tomorrow", "America/New_York", "2026-11-22T05:00:00.000Z"],
  ["2026-11-24", "Europe/Berlin", "2026-11-23T23:00:00.000Z"],
  ["2026-11-22T10:00:00+01:00", "UTC", "2026-11-22T09:00:00.000Z"],
  ["2027-11-22T01:30:00Z", "UTC", "2027-11-22T01:30:00.000Z"],
] as const) {
  test(`${text} in ${zone} is until ${instant}`, () => {
    assert.equal(readUntil("--until", text, { now, zone: createZone(zone) }).toISOString(), instant);
  });
}

for (const [text, message] of [
  ["soon", /^--until cannot be "soon": it takes .*tomorrow/],
  ["yesterday", /^--until cannot be "yesterday"/],
  ["2026-02-30", /^--until cannot be "2026-02-30"/],
  ["", /^--until cannot be ""/],
  ["999999999999d", /^--until cannot be/],
  ["0s", /^--until must lie ahead; 2026-11-22T01:30:00\.000Z does not\.$/],
  ["2026-11-21", /^--until must lie ahead/],
  ["366d", /^--until is at most one year ahead: 2027-11-22T01:30:00\.000Z\.$/],
] as const) {
  test(`--until ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => readUntil("--until", text, { now, zone: createZone("UTC") }), { name: "UsageError", message });
  });
}
