import assert from "node:assert/strict";
import { test } from "node:test";
import { senderAddress, senderDomain } from "../../src/mail/sender.ts";

test("the sender's address is read with and without a display name", () => {
  assert.equal(senderAddress("Invitewatch <invites@example.org>"), "invites@example.org");
  assert.equal(senderAddress('"Ops @ home" <invites@example.org>'), "invites@example.org");
  assert.equal(senderAddress(" invites@example.org "), "invites@example.org");
});

test("the sender's domain is ASCII, and never missing", () => {
  assert.equal(senderDomain("Ä <post@müller.example>"), "xn--mller-kva.example");
  assert.equal(senderDomain("nobody"), "invitewatch.invalid");
});
