import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import ICAL from "ical.js";
import type { Event } from "../../src/domain/event.ts";
import type { Invite } from "../../src/domain/invite.ts";
import { type CalendarAttachment, cancelledCalendars, publishedCalendars } from "../../src/mail/calendar.ts";
import { event, expiring, hostileTexts, invite, linksIn, now, received } from "./samples.ts";

const HOUR_MS = 3_600_000;
const inHours = (hours: number): Date => new Date(now.getTime() + hours * HOUR_MS);

function attachmentsOf(
  events: readonly Event[],
  invites: readonly Invite[],
  { recipient = "reader@example.org", from = "Invitewatch <invites@example.org>" } = {},
): readonly CalendarAttachment[] {
  const input = { events, invites, now, recipient, from };
  return [...publishedCalendars(input), ...cancelledCalendars(input)];
}

function changedEnd(seq: number, about: Invite, from: Date | null): Event {
  const changes = { expiresAt: { from: from?.toISOString() ?? null, to: about.expiresAt?.toISOString() ?? null } };
  return event("invite.changed", seq, about, { changes });
}

function answered(seq: number, about: Invite): Event {
  return event("invite.status_changed", seq, about, { from: "pending", to: about.status, source: "list" });
}

/** What a calendar makes of the file. */
function entriesOf(attachment: CalendarAttachment | undefined): readonly ICAL.Component[] {
  return parsed(attachment).getAllSubcomponents("vevent");
}

function parsed(attachment: CalendarAttachment | undefined): ICAL.Component {
  assert.ok(attachment);
  return new ICAL.Component(ICAL.parse(attachment.content));
}

function textOf(component: ICAL.Component | undefined, name: string): string {
  return String(component?.getFirstPropertyValue(name));
}

test("the deadline of an open invitation is in the calendar, with alarms a day and an hour before it", () => {
  const acme = invite({ calendarSequence: 0 });

  const [attachment, ...others] = attachmentsOf([received(12, acme)], [acme]);

  assert.deepEqual(others, []);
  assert.equal(attachment?.filename, "invitations.ics");
  assert.equal(attachment.contentType, "text/calendar; charset=utf-8; method=PUBLISH");
  const file = parsed(attachment);
  assert.equal(textOf(file, "version"), "2.0");
  assert.equal(textOf(file, "prodid"), "-//invitewatch//invitewatch//EN");
  assert.equal(textOf(file, "method"), "PUBLISH");
  const [entry] = entriesOf(attachment);
  const digest = createHash("sha256").update(`deadline\nops\n${acme.id}`).digest("hex");
  assert.equal(textOf(entry, "uid"), `${digest}@invitewatch.invalid`);
  assert.equal(textOf(entry, "sequence"), "0");
  assert.equal(textOf(entry, "dtstamp"), "2026-11-22T13:00:00Z");
  assert.equal(textOf(entry, "dtstart"), "2026-11-25T15:45:00Z");
  assert.equal(textOf(entry, "dtend"), "2026-11-25T16:00:00Z");
  assert.equal(textOf(entry, "summary"), "Invitation from “Acme” ends");
  assert.equal(textOf(entry, "status"), "CONFIRMED");
  assert.equal(textOf(entry, "transp"), "TRANSPARENT");
  assert.equal(textOf(entry, "url"), "https://dash.cloudflare.com/");
  assert.equal(textOf(entry, "organizer"), "mailto:invites@example.org");
  assert.deepEqual(alarmInstants(entry), ["2026-11-24T16:00:00Z", "2026-11-25T15:00:00Z"]);
});

function alarmInstants(entry: ICAL.Component | undefined): readonly string[] {
  const start = entry?.getFirstPropertyValue("dtstart") as ICAL.Time;
  return (entry?.getAllSubcomponents("valarm") ?? []).map((alarm) => {
    assert.equal(textOf(alarm, "action"), "DISPLAY");
    assert.notEqual(textOf(alarm, "description"), "");
    const at = start.clone();
    at.addDuration(alarm.getFirstPropertyValue("trigger") as ICAL.Duration);
    return at.toString();
  });
}

test("the entry says until when, whose watch it is and where to look it up", () => {
  const acme = invite();

  const [entry] = entriesOf(attachmentsOf([received(12, acme), expiring(13, acme)], [acme])[0]);

  const description = textOf(entry, "description");
  assert.match(description, /until Wed 25 Nov 2026, 16:00 UTC/);
  assert.match(description, /^Watch: ops$/m);
  assert.match(description, /^Reference: ops\/12, ops\/13$/m);
});

test("an alarm that lies in the past is left out, and all of them once somebody took care", () => {
  const soon = invite({ expiresAt: inHours(5) });
  const now59 = invite({ expiresAt: inHours(0.9) });
  const cared = invite({ acknowledgedAt: now });

  const alarms = [soon, now59, cared].map(
    (one) => alarmInstants(entriesOf(attachmentsOf([received(1, one)], [one])[0])[0]).length,
  );

  assert.deepEqual(alarms, [1, 0, 0]);
});

test("an end that moves updates the same entry, with a higher SEQUENCE", () => {
  const before = invite({ calendarSequence: 0 });
  const after = invite({ calendarSequence: 1, expiresAt: inHours(200) });

  const [first] = entriesOf(attachmentsOf([received(1, before)], [before])[0]);
  const [second] = entriesOf(attachmentsOf([changedEnd(2, after, before.expiresAt)], [after])[0]);

  assert.equal(textOf(second, "uid"), textOf(first, "uid"));
  assert.deepEqual([textOf(first, "sequence"), textOf(second, "sequence")], ["0", "1"]);
  assert.equal(textOf(second, "dtend"), "2026-11-30T21:00:00Z");
});

for (const status of ["accepted", "rejected", "withdrawn"]) {
  test(`the entry is cancelled at the outcome (${status}), also where its end has passed`, () => {
    const open = invite();
    const over = invite({ status, calendarSequence: 1 });
    const late = invite({ status, calendarSequence: 1, expiresAt: inHours(-5) });
    const told = (one: Invite) =>
      status === "withdrawn" ? event("invite.withdrawn", 2, one, { evidence: "404" }) : answered(2, one);

    const [attachment, ...others] = attachmentsOf([told(over)], [over]);

    assert.deepEqual(others, []);
    assert.equal(attachment?.filename, "invitations-cancelled.ics");
    assert.equal(attachment.contentType, "text/calendar; charset=utf-8; method=CANCEL");
    assert.equal(textOf(parsed(attachment), "method"), "CANCEL");
    const [entry] = entriesOf(attachment);
    assert.equal(textOf(entry, "uid"), textOf(entriesOf(attachmentsOf([received(1, open)], [open])[0])[0], "uid"));
    assert.equal(textOf(entry, "status"), "CANCELLED");
    assert.equal(textOf(entry, "sequence"), "1");
    assert.match(textOf(entry, "attendee"), /^mailto:reader@example\.org$/i);
    assert.deepEqual(entry?.getAllSubcomponents("valarm"), []);
    assert.equal(entriesOf(attachmentsOf([told(late)], [late])[0]).length, 2);
  });
}

test("an entry that has run out stays; one whose invitation ran out before its time goes", () => {
  const ranOut = invite({ status: "expired", expiresAt: inHours(-1) });
  const ranOutEarly = invite({ status: "expired", expiresAt: inHours(50) });
  const expired = event("invite.expired", 3, ranOut, { expiresAt: inHours(-1).toISOString() });

  assert.deepEqual(attachmentsOf([expired], [ranOut]), []);
  assert.equal(attachmentsOf([answered(3, ranOutEarly)], [ranOutEarly])[0]?.filename, "invitations-cancelled.ics");
  assert.equal(
    attachmentsOf([changedEnd(2, ranOut, inHours(50)), expired], [ranOut])[0]?.filename,
    "invitations-cancelled.ics",
  );
});

test("an entry goes when the invitation loses its end", () => {
  const endless = invite({ expiresAt: null, calendarSequence: 1 });

  const [attachment] = attachmentsOf([changedEnd(2, endless, inHours(75))], [endless]);

  assert.equal(attachment?.filename, "invitations-cancelled.ics");
  assert.equal(textOf(entriesOf(attachment)[0], "dtend"), "2026-11-25T16:00:00Z");
});

test("an entry is updated and cancelled whoever the sender is by then", () => {
  const open = invite();
  const over = invite({ status: "accepted", calendarSequence: 1 });
  const from = "Moved <invites@elsewhere.example>";

  const [first] = entriesOf(attachmentsOf([received(1, open)], [open])[0]);
  const [updated] = entriesOf(attachmentsOf([changedEnd(2, open, inHours(50))], [open], { from })[0]);
  const [cancelled] = entriesOf(attachmentsOf([answered(3, over)], [over], { from })[0]);

  assert.equal(textOf(updated, "uid"), textOf(first, "uid"));
  assert.equal(textOf(cancelled, "uid"), textOf(first, "uid"));
});

test("a cancellation also names the UID that entries of the same sender once had", () => {
  const over = invite({ status: "accepted", calendarSequence: 1 });

  const uids = entriesOf(attachmentsOf([answered(3, over)], [over])[0]).map((entry) => textOf(entry, "uid"));

  const digest = createHash("sha256").update(`deadline\nops\n${over.id}`).digest("hex");
  assert.deepEqual(uids, [`${digest}@invitewatch.invalid`, `${digest}@example.org`]);
});

test("addresses of international domains stand in ASCII", () => {
  const over = invite({ status: "accepted", calendarSequence: 1 });
  const people = { from: "Wächter <post@müller.example>", recipient: "leser@bücher.example" };

  const [attachment] = attachmentsOf([answered(3, over)], [over], people);

  const unfolded = attachment?.content.replaceAll("\r\n ", "") ?? "";
  assert.match(unfolded, /^ORGANIZER;CN=invitewatch:mailto:post@xn--mller-kva\.example\r$/m);
  assert.match(unfolded, /^ATTENDEE:mailto:leser@xn--bcher-kva\.example\r$/m);
});

test("properties come before alarms in every component, and all times are in UTC", () => {
  const acme = invite({ organizationName: "Ä".repeat(60) });
  const over = invite({ id: "over", status: "rejected" });

  const attachments = attachmentsOf([received(1, acme), answered(2, over)], [acme, over]);

  assert.equal(attachments.length, 2);
  for (const { content } of attachments) assertOrdered(content);
});

/** @see https://www.rfc-editor.org/rfc/rfc5545#section-3.6 a component has properties first, then components */
function assertOrdered(content: string): void {
  const open: { readonly name: string; nested: boolean }[] = [];
  for (const line of content.replaceAll("\r\n ", "").trimEnd().split("\r\n")) {
    const [, name = "", value = ""] = /^([A-Z-]+)[^:]*:(.*)$/.exec(line) ?? [];
    if (name === "BEGIN") {
      const outer = open.at(-1);
      if (outer !== undefined) outer.nested = true;
      open.push({ name: value, nested: false });
    } else if (name === "END") {
      assert.equal(open.pop()?.name, value);
    } else {
      assert.equal(open.at(-1)?.nested, false, `${line} stands behind a component`);
      if (name.startsWith("DT")) assert.match(line, /^[A-Z]+:\d{8}T\d{6}Z$/);
    }
  }
  assert.deepEqual(open, []);
}

test("nothing is put into a calendar or taken out of it where no entry can be", () => {
  const endless = invite({ expiresAt: null });
  const unknown = invite({ status: "paused" });
  const cases: readonly (readonly [Event, Invite])[] = [
    [received(1, invite({ status: "accepted" })), invite({ status: "accepted" })],
    [received(1, endless), endless],
    [event("invite.withdrawn", 2, endless, { evidence: "404" }), invite({ status: "withdrawn", expiresAt: null })],
    [answered(2, unknown), unknown],
    [event("watch.baseline", 1, null, { invites: 0, pending: 0 }), invite()],
    [received(1, invite({ watch: "lab" })), invite({ watch: "ops" })],
  ];

  for (const [told, about] of cases) assert.deepEqual(attachmentsOf([told], [about]), []);
});

test("an invitation that came and went in one mail leaves nothing behind, and one that is open again has its entry", () => {
  const gone = invite({ status: "accepted" });
  const again = invite();
  const flapped = event("invite.status_changed", 3, again, { from: "expired", to: "pending", source: "list" });

  assert.deepEqual(attachmentsOf([received(1, gone), answered(2, gone)], [gone]), []);
  const attachments = attachmentsOf([answered(2, invite({ status: "expired" })), flapped], [again]);
  assert.deepEqual(
    attachments.map(({ filename }) => filename),
    ["invitations.ics"],
  );
});

test("open and answered invitations go into a calendar each, the twenty that end first", () => {
  const many = Array.from({ length: 30 }, (_, index) => invite({ id: `id ${index}`, expiresAt: inHours(90 - index) }));
  const over = invite({ id: "over", status: "rejected" });

  const attachments = attachmentsOf(
    [...many.map((one, index) => received(index, one)), answered(99, over)],
    [...many, over],
  );

  assert.equal(attachments.length, 2);
  const ends = entriesOf(attachments[0]).map((entry) => textOf(entry, "dtend"));
  assert.equal(ends.length, 20);
  assert.equal(ends[0], "2026-11-25T02:00:00Z");
  assert.deepEqual(ends, ends.toSorted());
  assert.equal(new Set(entriesOf(attachments[0]).map((entry) => textOf(entry, "uid"))).size, 20);
});

for (const { name, text } of hostileTexts()) {
  test(`a stranger's text stays inside its property of the calendar (${name})`, () => {
    const hostile = invite({ id: text, watch: text, organizationName: text });

    const [attachment] = attachmentsOf([received(1, hostile)], [hostile]);

    const content = attachment?.content ?? "";
    assert.ok(content.endsWith("END:VCALENDAR\r\n"));
    const lines = content.slice(0, -2).split("\r\n");
    for (const line of lines) {
      assert.doesNotMatch(line, /[\p{Cc}\p{Cs}\u2028\u2029]/u);
      assert.ok(Buffer.byteLength(line) <= 75, `${Buffer.byteLength(line)} octets: ${line}`);
    }
    const file = parsed(attachment);
    const [entry, ...others] = entriesOf(attachment);
    assert.equal(others.length, 0);
    assert.deepEqual(
      file.getAllSubcomponents().map((one) => one.name),
      ["vevent"],
    );
    assert.deepEqual(
      entry?.getAllProperties().map((property) => property.name),
      PROPERTIES,
    );
    assert.deepEqual(linksIn(textOf(entry, "summary")), []);
    assert.deepEqual(linksIn(textOf(entry, "description")), ["https://dash.cloudflare.com/"]);
  });
}

const PROPERTIES = [
  ...["uid", "sequence", "dtstamp", "dtstart", "dtend", "summary", "organizer", "status", "description", "url"],
  ...["transp", "x-microsoft-cdo-busystatus"],
];
