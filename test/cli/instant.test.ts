import assert from "node:assert/strict";
import { test } from "node:test";
import { readInstant } from "../../src/cli/instant.ts";
import { createZone } from "../../src/cli/zone.ts";

const now = new Date("2026-11-22T01:30:00Z");

for (const [text, zone, instant] of [
  ["2026-11-22T10:00:00Z", "Europe/Berlin", "2026-11-22T10:00:00.000Z"],
  ["2026-11-22t10:00:00.5+01:00", "UTC", "2026-11-22T09:00:00.500Z"],
  ["2h", "Europe/Berlin", "2026-11-21T23:30:00.000Z"],
  ["1d12h", "UTC", "2026-11-20T13:30:00.000Z"],
  ["2026-11-22", "UTC", "2026-11-22T00:00:00.000Z"],
  ["2026-11-22", "Europe/Berlin", "2026-11-21T23:00:00.000Z"],
  ["2026-07-01", "America/New_York", "2026-07-01T04:00:00.000Z"],
  ["2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z"],
  ["2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00.000Z"],
  ["2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00.000Z"],
  ["2025-04-25", "Africa/Cairo", "2025-04-24T22:00:00.000Z"],
  ["yesterday", "UTC", "2026-11-21T00:00:00.000Z"],
  ["yesterday", "America/New_York", "2026-11-20T05:00:00.000Z"],
] as const) {
  test(`${text} in ${zone} is ${instant}`, () => {
    assert.equal(readInstant("--since", text, { now, zone: createZone(zone) }).toISOString(), instant);
  });
}

for (const text of ["", "soon", "2026-02-30", "2026-13-01", "2026-02-30T00:00:00Z", "2026-11-22T10:00:00", "999999d"]) {
  test(`${JSON.stringify(text)} is no instant`, () => {
    assert.throws(() => readInstant("--since", text, { now, zone: createZone("UTC") }), {
      name: "UsageError",
      message: /^--since cannot be /,
    });
  });
}
