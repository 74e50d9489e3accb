import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { Event } from "../../src/domain/event.ts";
import { mailHeaders, messageIdFor, type Thread, threadHeaders } from "../../src/mail/headers.ts";
import { formatReferences } from "../../src/mail/references.ts";
import { renderMail } from "../../src/mail/render.ts";
import { event, expiring, invite, mailInput, received } from "./samples.ts";

const from = "Invitewatch <invites@example.org>";
const baseline = { invites: 0, pending: 0 };

test("the Message-ID is made of the notification, the recipient and the sender's domain alone", () => {
  const digest = createHash("sha256").update("n-1\nreader@example.com").digest("hex");

  assert.equal(messageIdFor("n-1", "reader@example.com", from), `${digest}@example.org`);
  assert.equal(messageIdFor("n-1", "reader@example.com", "invites@example.org"), `${digest}@example.org`);
  assert.notEqual(messageIdFor("n-1", "other@example.com", from), messageIdFor("n-1", "reader@example.com", from));
});

test("the Message-ID of an international domain is ASCII, and one without any domain still valid", () => {
  assert.match(messageIdFor("n", "r", "Ä <post@müller.example>"), /^[0-9a-f]{64}@xn--mller-kva\.example$/);
  assert.match(messageIdFor("n", "r", "nobody"), /^[0-9a-f]{64}@invitewatch\.invalid$/);
});

test("a mail says that no person wrote it, which list it is of, and what it is about", () => {
  const events = [received(7, invite()), event("watch.baseline", 6, null, baseline)];

  const headers = mailHeaders({ watch: "ops", kind: "invite.received", from, events });

  assert.deepEqual(headers, {
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "All",
    "List-Id": "invitewatch ops <ops.invitewatch.example.org>",
    "X-Invitewatch-Event": "ops/6, ops/7",
    "X-Invitewatch-Kind": "invite.received",
  });
});

test("header values are printable ASCII, whatever the watch is called", () => {
  const names = ["東京", "a\r\nBcc: x@y.z", "My Watch", "\ud800", "<b>", "é".repeat(500), "", "ops "];

  for (const watch of names) {
    const events = [event("watch.baseline", 1, null, baseline)];
    for (const value of Object.values(mailHeaders({ watch, kind: "inventory", from, events }))) {
      assert.match(value, /^[\x20-\x7e]+$/);
    }
  }
});

test("two watches never share a list", () => {
  const names = ["ops", "Ops", "ops ", "o.ps", "東京", "大阪", "x".repeat(50), `${"x".repeat(49)}y`];

  const lists = names.map((watch) => mailHeaders({ watch, kind: "inventory", from, events: [] })["List-Id"]);

  assert.equal(new Set(lists).size, names.length);
});

test("a mail about several watches is of the list of all, and names the events of each", () => {
  const lab = invite({ watch: "lab" });
  const events = [received(2, invite()), received(1, invite()), received(7, lab)];

  const headers = mailHeaders({ watch: null, kind: "summary", from, events });

  assert.equal(headers["List-Id"], "invitewatch <invitewatch.example.org>");
  assert.equal(headers["X-Invitewatch-Event"], "lab/7, ops/1, ops/2");
});

test("the first mail about an invite already names the anchor of its thread", () => {
  const digest = createHash("sha256").update("thread\nops\ni-1\nreader@example.com").digest("hex");

  const headers = threadOf([]);

  assert.equal(headers.References, `<${digest}@example.org>`);
  assert.equal(headers["In-Reply-To"], `<${digest}@example.org>`);
});

test("a later mail names the anchor and the ten mails before it, and answers the last", () => {
  const earlier = Array.from({ length: 14 }, (_, index) => `m-${index}@example.org`);

  const headers = threadOf(earlier);

  const [anchor, ...others] = headers.References?.split(" ") ?? [];
  assert.equal(anchor, threadOf([]).References);
  assert.deepEqual(
    others,
    earlier.slice(4).map((id) => `<${id}>`),
  );
  assert.equal(headers["In-Reply-To"], "<m-13@example.org>");
});

test("mail to another reader, or of another watch, is another thread", () => {
  const anchors = [
    threadOf([]),
    threadOf([], { recipient: "other@example.com" }),
    threadOf([], { watch: "lab" }),
    threadOf([], { inviteId: "i-2" }),
  ].map((headers) => headers.References);

  assert.equal(new Set(anchors).size, anchors.length);
});

test("a mail about one invite is in its thread, one about several or none is in none", () => {
  const [acme, other, lab] = [invite(), invite({ id: "b".repeat(32) }), invite({ watch: "lab" })];
  const gap = { reason: "HTTP 502", since: "2026-11-22T09:15:00.000Z", until: null, atRisk: [] };
  const dead = { by: "invitewatch", reason: "550", notificationId: "n", recipient: "gone@example.com" };
  const inThread = (...events: Event[]): boolean => {
    const { References, "In-Reply-To": inReplyTo } = renderMail(mailInput(events, [acme, other, lab])).headers;
    assert.equal(References === undefined, inReplyTo === undefined);
    return References !== undefined;
  };

  assert.ok(inThread(received(1, acme), expiring(2, acme)));
  assert.ok(inThread(received(1, acme), event("notification.dead", 2, null, dead)));
  assert.ok(!inThread(received(1, acme), received(2, other)));
  assert.ok(!inThread(received(1, acme), received(2, lab)));
  assert.ok(!inThread(received(1, acme), event("watch.blind", 2, null, gap)));
  assert.ok(!inThread(event("notification.dead", 2, null, dead)));
});

test("a few events are named one by one, many in ranges", () => {
  const many = Array.from({ length: 10_000 }, (_, index) => index + 1);

  assert.equal(references([3, 1, 2]), "ops/1, ops/2, ops/3");
  assert.equal(references(many.toReversed()), "ops/1-10000");
  assert.equal(references([...many.slice(0, 40), 44]), "ops/1-40, ops/44");
});

test("scattered events fill a header of sane length and say how many are left", () => {
  const odd = Array.from({ length: 5000 }, (_, index) => 2 * index + 1);

  const text = references(odd);

  assert.ok(text.length < 920);
  const named = text.split(", ").length - 1;
  assert.ok(text.endsWith(`, +${5000 - named}`));
});

test("every event is named or counted, whatever its watch, and the order they come in says nothing", () => {
  const events = fc.uniqueArray(
    fc.record({ watch: fc.constantFrom("ops", "lab", "x"), seq: fc.integer({ min: 1, max: 3000 }) }),
    {
      selector: ({ watch, seq }) => `${watch}/${seq}`,
      maxLength: 400,
    },
  );

  fc.assert(
    fc.property(events, (some) => {
      const text = formatReferences(some, (watch) => watch);

      assert.equal(
        formatReferences(some.toReversed(), (watch) => watch),
        text,
      );
      assert.ok(text.length < 920);
      const counts = text.split(", ").map((part) => {
        const [, from, to, more] = /^(?:\w+\/(\d+)(?:-(\d+))?|\+(\d+))$/.exec(part) ?? [];
        return more === undefined ? Number(to ?? from) - Number(from) + 1 : Number(more);
      });
      assert.equal(text === "" ? 0 : counts.reduce((sum, number) => sum + number), some.length);
    }),
  );
});

function threadOf(earlier: readonly string[], overrides: Partial<Thread> = {}) {
  const thread = { watch: "ops", inviteId: "i-1", recipient: "reader@example.com", earlier, ...overrides };
  return threadHeaders(thread, from);
}

function references(seqs: readonly number[]): string {
  return formatReferences(
    seqs.map((seq) => ({ watch: "ops", seq })),
    (watch) => watch,
  );
}
