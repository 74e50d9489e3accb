import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { probeRelay } from "../../../src/adapters/smtp/probe.ts";
import type { ProbeStep } from "../../../src/adapters/smtp/probe-step.ts";
import { createRedactor } from "../../../src/domain/redact.ts";

const MIME = Buffer.from("Subject: Hello\r\n\r\nHello.\r\n");
const CERTIFICATE = readFileSync(new URL("../../fixtures/tls/localhost-cert.pem", import.meta.url), "utf8");
const KEY = readFileSync(new URL("../../fixtures/tls/localhost-key.pem", import.meta.url), "utf8");
/** An address that leads here and that nothing marks as this machine's: TLS is asked for as anywhere. */
const ELSEWHERE = "[::ffff:127.0.0.1]";
const PASSWORD = "s3cret-pass";

/** A server until the test's end, and its port. */
async function serve(t: TestContext, options: SMTPServerOptions = {}): Promise<number> {
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    banner: "at your service",
    cert: CERTIFICATE,
    key: KEY,
    onAuth(auth, _session, done) {
      if (auth.password === PASSWORD) done(null, { user: auth.username });
      else done(new Error(`no login for ${auth.username} with ${auth.password}`));
    },
    onRcptTo({ address }, _session, done) {
      if (address.startsWith("nobody")) done(Object.assign(new Error("no such mailbox"), { responseCode: 550 }));
      else done();
    },
    onData(stream, _session, done) {
      text(stream).then(() => done(null, "Ok: queued as 4ABC"), done);
    },
    closeTimeout: 50,
    ...options,
  });
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.server.address() as AddressInfo).port;
}

/** A server that takes connections, says `first` and nothing more. */
async function serveSilence(t: TestContext, first = ""): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    socket.write(first);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

type Probed = { readonly lines: readonly string[]; readonly accepted: readonly string[] };

async function probe(url: string, to: readonly string[] = ["ops@example.com"]): Promise<Probed> {
  const lines: string[] = [];
  const report = ({ stage, ok, text: said, recipient }: ProbeStep) => {
    lines.push(`${ok ? "OK" : "FIX"} ${stage}${recipient === null ? "" : ` <${recipient}>`}: ${said}`);
  };
  const timeouts = { connectionTimeout: 300, greetingTimeout: 300, socketTimeout: 300, answerTimeout: 300 };
  const redact = createRedactor([PASSWORD, "wrong-pass"]);
  const mail = { from: "invites@example.com", to, mime: MIME };
  return { accepted: await probeRelay(url, mail, { redact, report, timeouts }), lines };
}

function stagesOf({ lines }: Probed): readonly string[] {
  return lines.map((line) => line.slice(0, line.indexOf(":")));
}

/** Trusts the server's certificate until the test's end. */
function trust(t: TestContext): void {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, CERTIFICATE]);
  t.after(() => setDefaultCACertificates(before));
}

test("every stage is told in its turn, up to the server's queue id", async (t) => {
  trust(t);
  const port = await serve(t, { secure: true });

  const probed = await probe(`smtps://mailer:${PASSWORD}@localhost:${port}`);

  assert.deepEqual(stagesOf(probed), [
    "OK DNS",
    "OK connect",
    "OK TLS",
    "OK greeting",
    "OK login",
    "OK MAIL FROM",
    "OK RCPT TO <ops@example.com>",
    "OK DATA",
    "OK answer",
  ]);
  const said = probed.lines.join("\n");
  assert.match(said, /DNS: localhost is .*127\.0\.0\.1/);
  assert.match(said, /connect: 127\.0\.0\.1 port \d+, in \d+ ms/);
  assert.match(
    said,
    /TLS: TLSv1\.3, TLS_\w+; certificate of localhost, Example Mail by localhost, Example Mail; valid until 2120-01-01; verified/,
  );
  assert.match(said, /greeting: 220 .* at your service/);
  assert.match(said, /login: PLAIN: 235 /);
  assert.match(said, /answer: 250 Ok: queued as 4ABC/);
  assert.deepEqual(probed.accepted, ["ops@example.com"]);
});

test("STARTTLS with a certificate that nobody vouches for is refused before the login, with what to do", async (t) => {
  let logins = 0;
  const port = await serve(t, {
    onAuth(_auth, _session, done) {
      logins += 1;
      done(null, { user: "mailer" });
    },
  });

  const probed = await probe(`smtp://mailer:${PASSWORD}@${ELSEWHERE}:${port}`);

  assert.deepEqual(stagesOf(probed), ["OK DNS", "OK connect", "OK greeting", "FIX TLS"]);
  assert.match(
    probed.lines.at(-1) ?? "",
    /certificate of localhost, Example Mail .* NOT VERIFIED: it is self-signed; give the mail server one of a public authority, or .* NODE_EXTRA_CA_CERTS/,
  );
  assert.equal(logins, 0);
  assert.deepEqual(probed.accepted, []);
});

test("STARTTLS with a trusted certificate goes on to the login", async (t) => {
  trust(t);
  const port = await serve(t);

  const probed = await probe(`smtp://mailer:${PASSWORD}@${ELSEWHERE}:${port}`);

  assert.deepEqual(stagesOf(probed).slice(2, 5), ["OK greeting", "OK TLS", "OK login"]);
  assert.deepEqual(probed.accepted, ["ops@example.com"]);
});

test("a server without STARTTLS gets no login, and the advice says what it must offer", async (t) => {
  const port = await serve(t, { disabledCommands: ["STARTTLS"] });

  const probed = await probe(`smtp://mailer:${PASSWORD}@${ELSEWHERE}:${port}`);

  assert.deepEqual(stagesOf(probed), ["OK DNS", "OK connect", "OK greeting", "FIX TLS"]);
  assert.match(probed.lines.at(-1) ?? "", /must offer STARTTLS before a login is sent/);
});

test("a refused login shows the answer without the password that it repeats", async (t) => {
  const port = await serve(t);

  const probed = await probe(`smtp://mailer:wrong-pass@127.0.0.1:${port}`);

  assert.deepEqual(stagesOf(probed), ["OK DNS", "OK connect", "OK greeting", "OK TLS", "FIX login"]);
  assert.match(
    probed.lines.at(-1) ?? "",
    /refuses the login; check the user and password in SMTP_URL: 535 no login for mailer with \[redacted\]$/,
  );
  assert.doesNotMatch(probed.lines.join(), /wrong-pass/);
});

test("a recipient that is refused does not stop the others", async (t) => {
  for (const hidePIPELINING of [true, false]) {
    const port = await serve(t, { hidePIPELINING });

    const probed = await probe(`smtp://127.0.0.1:${port}`, [
      "ops@example.com",
      "nobody@example.com",
      "lead@example.com",
    ]);

    assert.deepEqual(stagesOf(probed).slice(-6), [
      "OK MAIL FROM",
      "OK RCPT TO <ops@example.com>",
      "FIX RCPT TO <nobody@example.com>",
      "OK RCPT TO <lead@example.com>",
      "OK DATA",
      "OK answer",
    ]);
    assert.deepEqual(probed.accepted, ["ops@example.com", "lead@example.com"]);
  }
});

test("where every recipient is refused there is no word of the data", async (t) => {
  for (const hidePIPELINING of [true, false]) {
    const port = await serve(t, { hidePIPELINING });

    const probed = await probe(`smtp://127.0.0.1:${port}`, ["nobody@example.com"]);

    assert.match(
      probed.lines.at(-1) ?? "",
      /^FIX RCPT TO <nobody@example\.com>: .* refuses the recipient; check the address, .*: 550 no such mailbox$/,
    );
    assert.deepEqual(probed.accepted, []);
  }
});

test("a sender that is refused is told once", async (t) => {
  const refuse: SMTPServerOptions["onMailFrom"] = (_address, _session, done) =>
    done(Object.assign(new Error("who are you"), { responseCode: 550 }));
  for (const hidePIPELINING of [true, false]) {
    const port = await serve(t, { hidePIPELINING, onMailFrom: refuse });

    const probed = await probe(`smtp://127.0.0.1:${port}`);

    assert.deepEqual(stagesOf(probed).slice(-2), ["OK login", "FIX MAIL FROM"]);
    assert.match(probed.lines.at(-1) ?? "", /check that it lets this login send as MAIL_FROM: 550 who are you$/);
  }
});

test("a mail that is refused after its data was accepted for nobody", async (t) => {
  const port = await serve(t, {
    onData: (stream, _session, done) =>
      void text(stream).then(() => done(Object.assign(new Error("spam"), { responseCode: 554 }))),
  });

  const probed = await probe(`smtp://127.0.0.1:${port}`);

  assert.deepEqual(stagesOf(probed).slice(-2), ["OK DATA", "FIX answer"]);
  assert.deepEqual(probed.accepted, []);
});

test("a refused connection and a host that does not exist are told as such", async () => {
  const refused = await probe("smtp://127.0.0.1:1");
  const nowhere = await probe("smtp://mail.invalid:25");

  assert.deepEqual(stagesOf(refused), ["OK DNS", "FIX connect"]);
  assert.match(
    refused.lines.at(-1) ?? "",
    /127\.0\.0\.1:1 cannot be reached .*: the connection is refused; check the port/,
  );
  assert.deepEqual(stagesOf(nowhere), ["FIX DNS"]);
  assert.match(nowhere.lines.at(-1) ?? "", /mail\.invalid: (there is no such host|the name could not be looked up)/);
});

test("a server that hangs is given up at the stage where it does", async (t) => {
  const silent = await probe(`smtp://127.0.0.1:${await serveSilence(t)}`);
  const noTls = await probe(`smtps://127.0.0.1:${await serveSilence(t)}`);
  const asleep = await probe(`smtp://127.0.0.1:${await serve(t, { onData: () => {} })}`);

  assert.deepEqual(stagesOf(silent), ["OK DNS", "OK connect", "FIX greeting"]);
  assert.match(silent.lines.at(-1) ?? "", /says nothing; where the port is one for TLS .* use smtps:\/\//);
  assert.deepEqual(stagesOf(noTls), ["OK DNS", "OK connect", "FIX TLS"]);
  assert.deepEqual(stagesOf(asleep).slice(-2), ["OK DATA", "FIX answer"]);
  assert.match(asleep.lines.at(-1) ?? "", /did not answer in time/);
});

test("TLS from the start at a server that has none names the other way", async (t) => {
  const port = await serveSilence(t, "220 plain text here\r\n");

  const probed = await probe(`smtps://127.0.0.1:${port}`);

  assert.deepEqual(stagesOf(probed), ["OK DNS", "OK connect", "FIX TLS"]);
  assert.match(probed.lines.at(-1) ?? "", /it answers without TLS; use smtp:\/\//);
});

test("a greeting that turns us away is told with its words", async (t) => {
  const probed = await probe(`smtp://127.0.0.1:${await serveSilence(t, "554 go away\r\n")}`);

  assert.deepEqual(stagesOf(probed), ["OK DNS", "OK connect", "FIX greeting"]);
  assert.match(probed.lines.at(-1) ?? "", /554 go away/);
});
