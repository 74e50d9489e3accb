import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey, parseMailbox, splitAddressList } from "../../src/config/address.ts";

test("a mailbox is read with and without a name", () => {
  const texts = ["ops@example.com", " Ops Team <ops@example.com> ", '"Doe, Jane" <jane@example.com>', "<a@b.example>"];

  const mailboxes = texts.map(parseMailbox);

  assert.deepEqual(mailboxes, [
    { name: null, address: "ops@example.com" },
    { name: "Ops Team", address: "ops@example.com" },
    { name: '"Doe, Jane"', address: "jane@example.com" },
    { name: null, address: "a@b.example" },
  ]);
});

test("hosts without a dot and international domains are fine", () => {
  const texts = ["root@localhost", "ops+alerts@bücher.example"];

  const mailboxes = texts.map(parseMailbox);

  assert.deepEqual(
    mailboxes.map((mailbox) => mailbox?.address),
    texts,
  );
});

test("what is not exactly one mailbox is null", () => {
  const texts = [
    "",
    "ops",
    "@example.com",
    "ops@",
    "ops@@example.com",
    "ops@exa mple.com",
    "o..ps@example.com",
    ".ops@example.com",
    "ops@-example.com",
    "ops@example..com",
    "a@example.com, b@example.com",
    "Doe, Jane <jane@example.com>",
    '"Ops <ops@example.com>',
    "Ops <ops@example.com> trailing",
    "Ops\r\nBcc: x@example.com <ops@example.com>",
    `${"a".repeat(65)}@example.com`,
    `a@${"example.".repeat(32)}com`,
  ];

  const mailboxes = texts.map(parseMailbox);

  assert.deepEqual(
    mailboxes,
    texts.map(() => null),
  );
});

test("a list is split at the commas that stand outside quotes", () => {
  const parts = splitAddressList('a@example.com, "Doe, Jane" <jane@example.com>,, ');

  assert.deepEqual(parts, ["a@example.com", '"Doe, Jane" <jane@example.com>']);
});

test("only the domain of an address ignores case", () => {
  const key = addressKey("Ops@Example.COM");

  assert.equal(key, "Ops@example.com");
});
