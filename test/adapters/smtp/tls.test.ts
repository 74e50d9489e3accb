import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates, type TlsOptions } from "node:tls";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { probeRelay } from "../../../src/adapters/smtp/probe.ts";
import { createMailTransport } from "../../../src/adapters/smtp/transport.ts";
import { startFaultyRelay } from "../../support/faulty-relay.ts";

const MIME = Buffer.from("Message-ID: <a@example.com>\r\n\r\nHello.\r\n");
const ENVELOPE = { from: "invites@example.com", to: "ops@example.com" };
/** Leads here, and nothing marks it as this machine's. */
const ELSEWHERE = "[::ffff:127.0.0.1]";
const LOGIN = { user: "mailer", pass: "s3cret-pass" };

const pem = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url), "utf8");
const KEY = pem("localhost-key");
const CERTIFICATE = pem("localhost-cert");
const RSA = { key: pem("rsa-key"), cert: pem("rsa-cert") };

/** 1024 bits. @see https://www.rfc-editor.org/rfc/rfc2409#section-6.2 */
const SHORT_DH = `-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----`;

/** A server that keeps nothing, and its port. */
async function serve(t: TestContext, options: SMTPServerOptions & TlsOptions = {}): Promise<number> {
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 50,
    key: KEY,
    cert: CERTIFICATE,
    onAuth: (auth, _session, done) => done(null, { user: auth.username }),
    onData: (stream, _session, done) => void stream.resume().on("end", () => done()),
    ...options,
  } as SMTPServerOptions);
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.server.address() as AddressInfo).port;
}

/** Trusts the certificates until the test's end. */
function trust(t: TestContext, ...certificates: readonly string[]): void {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, ...certificates]);
  t.after(() => setDefaultCACertificates(before));
}

/** What comes of one mail: how, and the sentence; that of `mail test` is the same. */
async function send(url: string): Promise<{ readonly kind: string; readonly said: string }> {
  const transport = createMailTransport(url, String, { timeouts: { greetingTimeout: 1_000 } });
  const outcome = await transport.send(MIME, ENVELOPE);
  await transport.close();
  if (outcome.kind === "accepted") return { kind: "accepted", said: outcome.response };
  return { kind: outcome.kind === "failed" ? outcome.cause : outcome.what, said: outcome.error };
}

async function probe(url: string): Promise<readonly string[]> {
  const lines: string[] = [];
  await probeRelay(
    url,
    { from: ENVELOPE.from, to: [ENVELOPE.to], mime: MIME },
    {
      redact: String,
      report: ({ stage, ok, text }) => lines.push(`${ok ? "OK" : "FIX"} ${stage}: ${text}`),
      timeouts: { greetingTimeout: 1_000 },
    },
  );
  return lines;
}

const OLD = /it offers versions of TLS before 1\.2 alone.* allow TLS 1\.2 or newer there: .*protocol/;

const SERVERS: readonly (readonly [string, SMTPServerOptions & TlsOptions, RegExp])[] = [
  ["knows TLS 1.1 alone", { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }, OLD],
  [
    "has no cipher in common",
    { maxVersion: "TLSv1.2", ciphers: "CAMELLIA256-SHA:AES256-SHA:@SECLEVEL=0" },
    /it has no cipher in common with this program/,
  ],
  [
    "has weak Diffie-Hellman parameters",
    { ...RSA, maxVersion: "TLSv1.2", ciphers: "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", dhparam: SHORT_DH },
    /its Diffie-Hellman parameters are too short to be safe; give it 2048 bits or more/,
  ],
  [
    "wants a client certificate",
    { requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" },
    /it wants a certificate of ours, which is not supported/,
  ],
  ["has an expired certificate", { cert: pem("expired-cert") }, /not trusted: it has expired; renew it/],
  ["has a certificate for another name", { cert: pem("other-name-cert") }, /not trusted: it is not for localhost; use/],
];

for (const secure of [true, false]) {
  for (const [what, options, says] of SERVERS) {
    test(`a server that ${what} is told as such, ${secure ? "from the start" : "after STARTTLS"}`, async (t) => {
      trust(t, CERTIFICATE, pem("expired-cert"), pem("other-name-cert"));
      const port = await serve(t, { secure, ...options });
      const url = `${secure ? "smtps" : "smtp"}://localhost:${port}?tls=require`;

      const { kind, said } = await send(url);
      const lines = await probe(url);

      assert.equal(kind, "tls", said);
      assert.match(said, says);
      const told = lines.find((line) => line.startsWith("FIX"));
      assert.match(told ?? "", /^FIX TLS: /);
      assert.match(told ?? "", new RegExp(says.source.replace("not trusted", "NOT VERIFIED")));
    });
  }
}

test("a certificate that nobody vouches for is told with the variable that names an authority", async (t) => {
  const { kind, said } = await send(`smtps://localhost:${await serve(t, { secure: true })}`);

  assert.equal(kind, "tls");
  assert.match(said, /it is self-signed; .* name your own authority's file in NODE_EXTRA_CA_CERTS: DEPTH_ZERO_SELF/);
});

test("a server that cuts the handshake, and one that speaks in plain, are told as such", async (t) => {
  const server = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.end()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());

  const cut = await send(`smtps://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const plain = await send(`smtps://127.0.0.1:${await serve(t)}`);

  assert.match(cut.said, /it cuts the connection during the handshake/);
  assert.match(plain.said, /it answers without TLS; use smtp:\/\/ where TLS begins with STARTTLS \(587\)/);
  assert.deepEqual([cut.kind, plain.kind], ["tls", "tls"]);
});

test("a port with TLS from the start that is spoken to in plain names smtps://", async (t) => {
  const { said } = await send(`smtp://127.0.0.1:${await serve(t, { secure: true })}`);

  assert.match(said, /says nothing; where the port is one for TLS from the start \(465\), use smtps:\/\//);
});

test("on this machine TLS is used where it is offered, and its certificate is not verified", async (t) => {
  const relay = await startFaultyRelay({ tls: "starttls", login: LOGIN });
  t.after(relay.close);

  const { kind } = await send(relay.url);
  const lines = await probe(relay.url);

  assert.equal(kind, "accepted");
  assert.equal(relay.commands.filter((line) => line === "STARTTLS").length, 2);
  assert.match(lines.join("\n"), /^OK TLS: TLSv1\.3, .*NOT VERIFIED/m);
});

test("a relay on this machine that takes mail after STARTTLS alone gets it", async (t) => {
  const onMailFrom: SMTPServerOptions["onMailFrom"] = (_address, { secure }, done) =>
    done(secure ? null : Object.assign(new Error("5.7.0 Must issue a STARTTLS command first"), { responseCode: 530 }));
  const port = await serve(t, { onMailFrom });

  assert.equal((await send(`smtp://localhost:${port}`)).kind, "accepted");
  const off = await send(`smtp://localhost:${port}?tls=off`);
  assert.match(off.said, /wants TLS first; take tls=off out of SMTP_URL: 530/);
});

for (const [name, options] of [
  ["is refused for now", null],
  ["comes to no handshake", { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }],
] as const) {
  test(`opportunistic TLS that ${name} is done without`, async (t) => {
    const relay = await startFaultyRelay({ tls: "starttls", login: LOGIN });
    t.after(relay.close);
    relay.script({ at: "starttls", does: "answer", text: "454 4.7.0 not now", times: 9 });
    const url = options === null ? relay.url : `smtp://127.0.0.1:${await serve(t, options)}`;

    const { kind } = await send(url);
    const lines = await probe(url);

    assert.equal(kind, "accepted");
    assert.match(lines.join("\n"), /^OK TLS: none: it offers .*; tls=opportunistic goes on without$/m);
    assert.equal(lines.filter((line) => line.includes(" greeting: ")).length, 1);
    assert.match(lines.at(-1) ?? "", /^OK answer/);
  });
}

test("beyond this machine TLS that is offered and fails is no reason to do without", async (t) => {
  const relay = await startFaultyRelay({ tls: "starttls" });
  t.after(relay.close);
  const url = relay.url.replace("127.0.0.1", ELSEWHERE);

  const byDefault = await send(url);
  const opportunistic = await send(`${url}?tls=opportunistic`);
  const off = await send(`${url}?tls=off`);

  assert.deepEqual([byDefault.kind, opportunistic.kind, off.kind], ["tls", "accepted", "accepted"]);
});

test("a login beyond this machine is sent over TLS alone, whatever tls= says", async (t) => {
  const relay = await startFaultyRelay({ login: LOGIN });
  t.after(relay.close);
  const url = relay.url.replace("127.0.0.1", ELSEWHERE);

  for (const tls of ["require", "verify", "opportunistic"]) {
    const { kind, said } = await send(`${url}?tls=${tls}`);
    assert.equal(kind, "tls");
    assert.match(said, /it must offer STARTTLS before a login is sent/);
  }
  assert.ok(!relay.commands.some((line) => line.startsWith("AUTH")));
  assert.equal((await send(`${url}?tls=verify&allowInsecureAuth=true`)).kind, "accepted");
});

test("tls=require without a login is told as what was asked for", async (t) => {
  const relay = await startFaultyRelay();
  t.after(relay.close);

  const { said } = await send(`${relay.url}?tls=require`);

  assert.match(said, /it offers no STARTTLS, which tls=require in SMTP_URL asks for: 502/);
});
