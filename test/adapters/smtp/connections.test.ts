import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createMailTransport, type TransportTuning } from "../../../src/adapters/smtp/transport.ts";
import { type FaultyRelayOptions, startFaultyRelay } from "../../support/faulty-relay.ts";

const MIME = Buffer.from("Message-ID: <a@example.com>\r\n\r\nHello.\r\n");
const to = (recipient: string) => ({ from: "invites@example.com", to: recipient });

/** What a server says that lets in no more connections. */
const FULL = { at: "greeting", does: "answer", text: "421 4.7.0 too many connections from you" } as const;

async function start(t: TestContext, tuning: TransportTuning = {}, options: FaultyRelayOptions = {}) {
  const relay = await startFaultyRelay(options);
  const transport = createMailTransport(relay.url, String, tuning);
  t.after(() => Promise.all([transport.close(), relay.close()]));
  return { relay, transport, send: (recipient: string) => transport.send(MIME, to(recipient)) };
}

test("one connection, with one login, carries one mail after the other", async (t) => {
  const { relay, send } = await start(t, {}, { login: { user: "mailer", pass: "secret" } });

  for (const recipient of ["a@example.com", "b@example.com", "c@example.com"]) await send(recipient);

  assert.equal(relay.connections(), 1);
  assert.equal(relay.commands.filter((line) => line.startsWith("AUTH")).length, 1);
  assert.deepEqual(
    relay.accepted.map((mail) => mail.to),
    [["a@example.com"], ["b@example.com"], ["c@example.com"]],
  );
});

for (const tls of ["starttls", "implicit"] as const) {
  test(`mail goes over a kept connection with a certificate that is trusted (${tls})`, async (t) => {
    const before = getCACertificates();
    t.after(() => setDefaultCACertificates(before));
    setDefaultCACertificates([
      ...before,
      readFileSync(new URL("../../fixtures/tls/localhost-cert.pem", import.meta.url), "utf8"),
    ]);
    const relay = await startFaultyRelay({ tls, login: { user: "mailer", pass: "secret" } });
    // An address that leads here and that nothing marks as this machine's: TLS is asked for as anywhere.
    const transport = createMailTransport(relay.url.replace("127.0.0.1", "[::ffff:127.0.0.1]"), String);
    t.after(() => Promise.all([transport.close(), relay.close()]));

    const outcomes = [await transport.send(MIME, to("a@example.com")), await transport.send(MIME, to("b@example.com"))];

    assert.deepEqual(
      outcomes.map(({ kind, queueId }) => [kind, queueId]),
      [
        ["accepted", "Q1"],
        ["accepted", "Q2"],
      ],
    );
    assert.equal(relay.connections(), 1);
    assert.equal(relay.commands.filter((line) => line === "STARTTLS").length, tls === "starttls" ? 1 : 0);
  });
}

test("there are never more connections than allowed, and every mail has its turn", async (t) => {
  const { relay, send } = await start(t, { connections: 2 });
  const recipients = Array.from({ length: 20 }, (_, n) => `r${n}@example.com`);

  const outcomes = await Promise.all(recipients.map(send));

  assert.equal(relay.connections(), 2);
  assert.ok(outcomes.every(({ kind }) => kind === "accepted"));
  assert.deepEqual(relay.accepted.map((mail) => mail.to[0]).sort(), recipients.toSorted());
});

test("a server that lets in fewer connections than are asked for gets every mail over those", async (t) => {
  const faultFor: FaultyRelayOptions["faultFor"] = (nth, of) => (of === "connection" && nth >= 2 ? FULL : null);
  const { relay, send } = await start(t, {}, { faultFor });
  const recipients = Array.from({ length: 40 }, (_, n) => `r${n}@example.com`);

  const outcomes = await Promise.all(recipients.map(send));

  assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(["accepted"]));
  assert.equal(relay.accepted.length, 40);
  assert.equal(relay.connections(), 4, "each further one is asked for once, and not for every mail");
});

test("where the last connection that was let in ends, a mail that waited for it asks for one of its own", async (t) => {
  let crowded = true;
  const faultFor: FaultyRelayOptions["faultFor"] = (nth, of) =>
    of === "connection" && nth > 0 && crowded ? FULL : null;
  const { relay, send } = await start(t, { connections: 2 }, { faultFor });
  relay.script({ at: "answer", does: "drop", to: "a@example.com" });
  const hears = relay.whenSaid(/^DATA/);

  const [first, second] = [send("a@example.com"), send("b@example.com")];
  await hears;
  crowded = false;

  assert.deepEqual([(await first).kind, (await second).kind], ["failed", "accepted"]);
});

test("a connection that ends as it is handed on is made anew", async (t) => {
  const enough = { at: "sender", does: "answer", text: "421 4.7.0 no more mails over this connection" } as const;
  const faultFor: FaultyRelayOptions["faultFor"] = (nth, of) =>
    nth !== 1 ? null : of === "connection" ? FULL : enough;
  const { relay, send } = await start(t, { connections: 2 }, { faultFor });

  const outcomes = await Promise.all([send("a@example.com"), send("b@example.com")]);

  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["accepted", "accepted"],
  );
  assert.equal(relay.connections(), 3);
});

for (const [what, options, cause] of [
  ["turns everybody away", { text: "421 4.3.2 closed for today", at: "greeting" }, "unreachable"],
  ["refuses the login", { text: "535 5.7.8 who are you", at: "login" }, "login"],
] as const) {
  test(`a server that ${what} is asked once for each connection, and not for every mail that waits`, async (t) => {
    const fault = { ...options, does: "answer" } as const;
    const faultFor: FaultyRelayOptions["faultFor"] = (_, of) => (of === "connection" ? fault : null);
    const { relay, send } = await start(t, {}, { faultFor, login: { user: "mailer", pass: "secret" } });
    const recipients = Array.from({ length: 40 }, (_, n) => `r${n}@example.com`);

    const outcomes = await Promise.all(recipients.map(send));
    const asked = relay.connections();
    await send("later@example.com");

    assert.deepEqual(new Set(outcomes.map((one) => one.kind === "failed" && one.cause)), new Set([cause]));
    assert.equal(asked, 4);
    assert.equal(relay.connections(), 5, "one that comes later asks for itself");
  });
}

test("one recipient of several is refused and the others get theirs, over the same connection", async (t) => {
  const { relay, send } = await start(t, { connections: 1 });
  relay.script({ at: "recipient", does: "answer", text: "550 5.1.1 no", to: "b@example.com", times: 99 });

  const outcomes = await Promise.all(["a@example.com", "b@example.com", "c@example.com"].map(send));

  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["accepted", "refused", "accepted"],
  );
  assert.equal(relay.connections(), 1);
  assert.equal(relay.commands.filter((line) => line === "RSET").length, 1, "what is left of the refused mail is reset");
});

test("a greylisted mail is accepted when it is tried again", async (t) => {
  const { relay, send } = await start(t);
  relay.script({ at: "recipient", does: "answer", text: "451 4.7.1 greylisted" });

  const kinds = [(await send("a@example.com")).kind, (await send("a@example.com")).kind];

  assert.deepEqual(kinds, ["failed", "accepted"]);
});

test("a kept connection that the server closes meanwhile does not fail the next mail", async (t) => {
  const { relay, send } = await start(t);
  await send("a@example.com");

  await relay.cut();
  const outcome = await send("b@example.com");

  assert.equal(outcome.kind, "accepted");
  assert.equal(relay.connections(), 2);
  assert.equal(relay.accepted.length, 2);
});

for (const fault of [
  { at: "sender", does: "drop" },
  { at: "sender", does: "answer", text: "421 4.4.2 idle for too long" },
] as const) {
  test(`a kept connection that ends as the next mail begins is made anew once (${fault.does})`, async (t) => {
    const { relay, send } = await start(t);
    await send("a@example.com");

    relay.script(fault);
    const once = await send("b@example.com");
    relay.script({ ...fault, times: 2 });
    const twice = await send("c@example.com");

    assert.deepEqual([once.kind, twice.kind], ["accepted", "failed"]);
    assert.equal(relay.connections(), 3);
  });
}

test("a mail of which the data was asked for is not sent a second time in one attempt", async (t) => {
  const { relay, send } = await start(t);
  await send("a@example.com");

  relay.script({ at: "answer", does: "drop", keeps: true });
  const outcome = await send("b@example.com");

  assert.equal(outcome.kind === "failed" && outcome.cause, "unknown");
  assert.equal(relay.accepted.length, 2);
  assert.equal(relay.connections(), 1);
});

test("after a fault the connection is not used again", async (t) => {
  const { relay, send } = await start(t, { timeouts: { answerTimeout: 100 } });
  relay.script({ at: "answer", does: "hang" });

  await send("a@example.com");
  await send("b@example.com");

  assert.equal(relay.connections(), 2);
});

test("a connection without work is closed after a while, with a QUIT", async (t) => {
  const { relay, send } = await start(t, { idleMs: 20 });
  const quit = relay.whenSaid(/^QUIT/);

  await send("a@example.com");
  await quit;
  await send("b@example.com");

  assert.equal(relay.connections(), 2);
});

test("closing takes leave of kept connections, and keeps none from then on", async (t) => {
  const { relay, transport, send } = await start(t);
  await send("a@example.com");

  await transport.close();
  await send("b@example.com");
  const outcome = await send("c@example.com");

  assert.equal(outcome.kind, "accepted");
  assert.equal(relay.connections(), 3);
});

test("a schedule of faults is played mail by mail and connection by connection", async (t) => {
  const { relay, send } = await start(
    t,
    { connections: 1 },
    {
      faultFor: (n, of) =>
        of === "mail" && n === 1
          ? { at: "data", does: "drop" }
          : of === "connection" && n === 1
            ? { at: "greeting", does: "answer", text: "554 5.3.2 not now" }
            : null,
    },
  );

  const outcomes = [
    await send("a@example.com"),
    await send("b@example.com"),
    await send("c@example.com"),
    await send("d@example.com"),
  ];
  await relay.whenAccepted(2);

  assert.deepEqual(
    outcomes.map(({ kind, stage }) => `${kind} ${stage}`),
    ["accepted answer", "failed data", "failed greeting", "accepted answer"],
  );
});
