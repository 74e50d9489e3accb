import assert from "node:assert/strict";
import { test } from "node:test";
import { createTimes, duration } from "../../src/mail/times.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const now = new Date("2026-11-22T13:00:00Z");

test("a deadline is told in the recipient's zone, in UTC and as time left", () => {
  const times = createTimes("Europe/Berlin", now);

  const told = times.full(new Date("2026-11-24T16:00:00Z"));

  assert.equal(told, "Tue 24 Nov 2026, 17:00 CET (16:00 UTC), in 2 days 3 hours");
});

test("the day in UTC is named where it is another one", () => {
  const times = createTimes("Asia/Tokyo", now);

  const told = times.absolute(new Date("2026-11-24T16:00:00Z"));

  assert.equal(told, "Wed 25 Nov 2026, 01:00 UTC+9 (Tue 24 Nov, 16:00 UTC)");
});

test("UTC is told once", () => {
  assert.equal(createTimes("UTC", now).absolute(new Date("2026-09-01T00:00:00Z")), "Tue 1 Sep 2026, 00:00 UTC");
});

test("half-hour zones are told with their offset", () => {
  const told = createTimes("Asia/Kolkata", now).absolute(new Date("2026-11-24T16:00:00Z"));

  assert.equal(told, "Tue 24 Nov 2026, 21:30 UTC+5:30 (16:00 UTC)");
});

test("the hour that comes twice when summer ends in Berlin can be told apart", () => {
  const times = createTimes("Europe/Berlin", now);

  assert.equal(times.absolute(new Date("2026-10-25T00:30:00Z")), "Sun 25 Oct 2026, 02:30 CEST (00:30 UTC)");
  assert.equal(times.absolute(new Date("2026-10-25T01:30:00Z")), "Sun 25 Oct 2026, 02:30 CET (01:30 UTC)");
});

test("the hour that is skipped when summer begins in New York is never told", () => {
  const times = createTimes("America/New_York", now);

  assert.equal(times.absolute(new Date("2026-03-08T06:59:00Z")), "Sun 8 Mar 2026, 01:59 EST (06:59 UTC)");
  assert.equal(times.absolute(new Date("2026-03-08T07:00:00Z")), "Sun 8 Mar 2026, 03:00 EDT (07:00 UTC)");
});

test("the hour that is skipped when summer begins in Berlin is never told", () => {
  const times = createTimes("Europe/Berlin", now);

  assert.equal(times.absolute(new Date("2026-03-29T00:59:00Z")), "Sun 29 Mar 2026, 01:59 CET (00:59 UTC)");
  assert.equal(times.absolute(new Date("2026-03-29T01:00:00Z")), "Sun 29 Mar 2026, 03:00 CEST (01:00 UTC)");
});

test("the hour that comes twice when summer ends in New York can be told apart", () => {
  const times = createTimes("America/New_York", now);

  assert.equal(times.absolute(new Date("2026-11-01T05:30:00Z")), "Sun 1 Nov 2026, 01:30 EDT (05:30 UTC)");
  assert.equal(times.absolute(new Date("2026-11-01T06:30:00Z")), "Sun 1 Nov 2026, 01:30 EST (06:30 UTC)");
});

test("a short time names the day where it is not today, and the year where it is not this one", () => {
  const times = createTimes("Europe/Berlin", now);

  assert.equal(times.clock(new Date("2026-11-22T09:15:00Z")), "10:15 CET");
  assert.equal(times.clock(new Date("2026-11-21T22:59:00Z")), "Sat 21 Nov, 23:59 CET");
  assert.equal(times.clock(new Date("2026-11-21T23:00:00Z")), "00:00 CET");
  assert.equal(times.clock(new Date("2025-11-22T09:15:00Z")), "Sat 22 Nov 2025, 10:15 CET");
});

test("a stretch of time says once what its ends share", () => {
  const times = createTimes("Europe/Berlin", now);
  const span = (from: string, to: string): string => times.span(new Date(from), new Date(to));

  assert.equal(span("2026-11-22T09:02:00Z", "2026-11-22T09:41:00Z"), "10:02 to 10:41 CET");
  assert.equal(span("2026-11-21T09:02:00Z", "2026-11-21T09:41:00Z"), "Sat 21 Nov, 10:02 to 10:41 CET");
  assert.equal(span("2026-11-21T09:02:00Z", "2026-11-22T09:41:00Z"), "Sat 21 Nov, 10:02 to Sun 22 Nov, 10:41 CET");
});

test("a stretch over a change of the clocks names both zones", () => {
  const berlin = createTimes("Europe/Berlin", new Date("2026-10-25T12:00:00Z"));
  const newYork = createTimes("America/New_York", new Date("2026-03-08T12:00:00Z"));

  const autumn = berlin.span(new Date("2026-10-25T00:30:00Z"), new Date("2026-10-25T01:30:00Z"));
  const spring = newYork.span(new Date("2026-03-08T06:30:00Z"), new Date("2026-03-08T07:30:00Z"));

  assert.equal(autumn, "02:30 CEST to 02:30 CET");
  assert.equal(spring, "01:30 EST to 03:30 EDT");
});

test("time left counts real hours across a change of the clocks", () => {
  const times = createTimes("Europe/Berlin", new Date("2026-10-24T12:00:00Z"));

  assert.equal(times.relative(new Date("2026-10-25T12:00:00Z")), "in 1 day");
  assert.equal(times.relative(new Date("2026-10-25T13:00:00Z")), "in 1 day 1 hour");
});

test("time left is rounded down, so that nobody comes too late", () => {
  assert.equal(duration(3 * HOUR - 1), "2 hours 59 minutes");
  assert.equal(duration(2 * DAY + 3 * HOUR + 59 * MINUTE), "2 days 3 hours");
  assert.equal(duration(DAY + 10 * MINUTE), "1 day");
  assert.equal(duration(5 * HOUR), "5 hours");
  assert.equal(duration(61_000), "1 minute");
  assert.equal(duration(20 * DAY), "20 days");
  assert.equal(duration(59_999), "less than a minute");
});

test("what is over was so long ago", () => {
  assert.equal(createTimes("UTC", now).relative(new Date("2026-11-22T11:30:00Z")), "1 hour 30 minutes ago");
});

test("a zone that does not exist is refused", () => {
  assert.throws(() => createTimes("Mars/Olympus", now), RangeError);
});
