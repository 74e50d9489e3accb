import assert from "node:assert/strict";
import { test } from "node:test";
import { helloNameOf } from "../../../src/adapters/smtp/hello-name.ts";
import { createMailTransport } from "../../../src/adapters/smtp/transport.ts";
import { type FaultyRelayOptions, startFaultyRelay } from "../../support/faulty-relay.ts";
import type { Fault } from "../../support/faulty-relay-dialogue.ts";

const MIME = Buffer.from("Message-ID: <a@example.com>\r\n\r\nHello.\r\n");
const ENVELOPE = { from: "invites@example.com", to: "ops@example.com" };

const FROM = "invitewatch <invites@bücher.example>";

for (const [hostname, from, name] of [
  ["web-1.example.com", FROM, "web-1.example.com"],
  ["web-1.example.com.", FROM, "web-1.example.com"],
  ["münchen.example", FROM, "xn--mnchen-3ya.example"],
  ["4f2a91c0d3b7", FROM, "xn--bcher-kva.example"],
  ["10.0.0.5", FROM, "xn--bcher-kva.example"],
  ["my_host.example.com", FROM, "xn--bcher-kva.example"],
  ["localhost.localdomain", FROM, "xn--bcher-kva.example"],
  ["", FROM, "xn--bcher-kva.example"],
  ["4f2a91c0d3b7", null, "4f2a91c0d3b7"],
  ["", null, "localhost"],
] as const) {
  test(`a host named "${hostname}" says EHLO ${name}`, () => {
    assert.equal(helloNameOf({ asked: null, hostname, from }), name);
  });
}

for (const [asked, name] of [
  ["relay.example.com", "relay.example.com"],
  ["münchen.example", "xn--mnchen-3ya.example"],
  ["[192.0.2.1]", "[192.0.2.1]"],
  ["[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"],
] as const) {
  test(`the name that is asked for stands before the host's: ${asked}`, () => {
    assert.equal(helloNameOf({ asked, hostname: "web-1.example.com", from: FROM }), name);
  });
}

async function send(options: FaultyRelayOptions, query: string, ...faults: readonly Fault[]) {
  const relay = await startFaultyRelay(options);
  relay.script(...faults);
  const transport = createMailTransport(`${relay.url}${query}`, String, { from: FROM });
  const outcome = await transport.send(MIME, ENVELOPE);
  await Promise.all([transport.close(), relay.close()]);
  const said = outcome.kind === "accepted" ? outcome.response : outcome.error;
  return { outcome, said, hello: relay.commands.find((line) => line.startsWith("EHLO")) };
}

test("the name goes over the wire", async () => {
  const { outcome, hello } = await send({}, "?name=relay.example.com");

  assert.equal(outcome.kind, "accepted");
  assert.equal(hello, "EHLO relay.example.com");
});

for (const [what, fault] of [
  ["at EHLO and HELO", { at: "ehlo", does: "answer", text: "550 5.7.1 bad name", times: 2 }],
  [
    "at the recipient",
    { at: "recipient", does: "answer", text: "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname" },
  ],
  ["by hanging up", { at: "ehlo", does: "drop" }],
] as const) {
  test(`a name that is refused ${what} is told with the setting, and meets every mail`, async () => {
    const { outcome, said } = await send({}, "?name=4f2a91c0d3b7", fault);

    assert.deepEqual([outcome.kind, outcome.kind === "failed" && outcome.cause], ["failed", "unreachable"]);
    assert.match(said, /"4f2a91c0d3b7" as the name of this host(?:;|:) set name=HOST in SMTP_URL/);
  });
}

test("a recipient who is called helo is no word about EHLO", async () => {
  const { outcome } = await send({}, "", {
    at: "recipient",
    does: "answer",
    text: "550 5.1.1 <helo@example.com> is unknown",
  });

  assert.equal(outcome.kind, "refused");
});
