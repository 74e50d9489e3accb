import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseInstant } from "../../../src/adapters/cloudflare/instant.ts";

test("date-times of any precision and offset are read", () => {
  const cases: [string, string][] = [
    ["2014-01-01T05:20:00Z", "2014-01-01T05:20:00.000Z"],
    ["2014-01-01T05:20:00.1Z", "2014-01-01T05:20:00.100Z"],
    ["2014-01-01T05:20:00.123456789Z", "2014-01-01T05:20:00.123Z"],
    ["2014-01-01T05:20:00.999999Z", "2014-01-01T05:20:00.999Z"],
    ["2014-01-01t05:20:00z", "2014-01-01T05:20:00.000Z"],
    ["2014-01-01 05:20:00+02:30", "2014-01-01T02:50:00.000Z"],
    ["2014-01-01T23:20:00-00:45", "2014-01-02T00:05:00.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"],
  ];
  for (const [text, iso] of cases) assert.equal(parseInstant(text)?.toISOString(), iso, text);
});

test("what is no date-time is no instant", () => {
  const texts = [
    "",
    "soon",
    "2014-01-01",
    "2014-01-01T05:20Z",
    "2014-01-01T05:20:00",
    "2014-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2014-13-01T00:00:00Z",
    "2014-00-01T00:00:00Z",
    "2014-01-00T00:00:00Z",
    "2014-01-01T24:00:00Z",
    "2014-01-01T05:20:00+24:00",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "0000-00-00T00:00:00Z",
    "+012014-01-01T05:20:00Z",
    " 2014-01-01T05:20:00Z",
    "2014-01-01T05:20:00Z\n",
    "1388553600",
  ];
  for (const text of texts) assert.equal(parseInstant(text), null, text);
});

test("what toISOString writes is read as the same instant", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }), (at) => {
      assert.deepEqual(parseInstant(at.toISOString()), at);
    }),
  );
});
