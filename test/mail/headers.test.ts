import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { mailHeaders, messageIdFor } from "../../src/mail/headers.ts";
import { formatReferences } from "../../src/mail/references.ts";
import { event, invite, received } from "./samples.ts";

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

test("a few events are named one by one, many in ranges", () => {
  const many = Array.from({ length: 10_000 }, (_, index) => index + 1);

  assert.equal(formatReferences("ops", [3, 1, 2]), "ops/1, ops/2, ops/3");
  assert.equal(formatReferences("ops", many.toReversed()), "ops/1-10000");
  assert.equal(formatReferences("ops", [...many.slice(0, 40), 44]), "ops/1-40, ops/44");
});

test("scattered events fill a header of sane length and say how many are left", () => {
  const odd = Array.from({ length: 5000 }, (_, index) => 2 * index + 1);

  const references = formatReferences("ops", odd);

  assert.ok(references.length < 920);
  const named = references.split(", ").length - 1;
  assert.ok(references.endsWith(`, +${5000 - named}`));
});
