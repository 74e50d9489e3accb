import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { SMTPServer } from "smtp-server";
import { probeRelay } from "../../../src/adapters/smtp/probe.ts";
import { createMailTransport } from "../../../src/adapters/smtp/transport.ts";
import { createSockets } from "../../support/sockets.ts";

const MIME = Buffer.from("Message-ID: <a@example.com>\r\n\r\nHello.\r\n");
const ENVELOPE = { from: "invites@example.com", to: "ops@example.com" };

type Answers = Readonly<Record<string, string>>;

/** A server that offers logins and answers `AUTH MECHANISM` as given; it takes no mail. */
async function serve(t: TestContext, offer: readonly string[], answers: Answers) {
  const sockets = createSockets();
  const said: string[] = [];
  const server = createServer((socket) => {
    sockets.keep(socket).write("220 login.test ESMTP\r\n");
    createInterface(socket).on("line", (line) => {
      said.push(line);
      const command = line.split(" ").slice(0, 2).join(" ");
      if (line.startsWith("EHLO"))
        socket.write(`250-login.test\r\n${offer.map((one) => `250-${one}\r\n`).join("")}250 HELP\r\n`);
      else socket.write(`${answers[command] ?? answers[line] ?? "550 5.3.0 no more is known here"}\r\n`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    sockets.destroy();
    server.close();
  });
  const url = `smtp://mailer:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, logins: () => said.filter((line) => line.startsWith("AUTH")).map((line) => line.split(" ")[1]) };
}

/** What a login comes to, as a delivery and as `mail test` tell it. */
async function logIn(url: string): Promise<readonly [cause: string, said: string, probed: string]> {
  const transport = createMailTransport(url, String);
  const outcome = await transport.send(MIME, ENVELOPE);
  await transport.close();
  const lines: string[] = [];
  await probeRelay(
    url,
    { ...ENVELOPE, to: [ENVELOPE.to], mime: MIME },
    {
      redact: String,
      report: ({ stage, ok, text }) => stage === "login" && lines.push(`${ok ? "OK" : "FIX"} ${text}`),
    },
  );
  const said = outcome.kind === "accepted" ? outcome.response : outcome.error;
  return [outcome.kind === "failed" ? outcome.cause : outcome.kind, said, lines.join()];
}

for (const offer of ["AUTH XOAUTH2", "AUTH NTLM GSSAPI", "AUTH=OAUTHBEARER"]) {
  test(`no password is sent by a mechanism that was not offered (${offer})`, async (t) => {
    const { url, logins } = await serve(t, [offer], {});

    const [cause, said, probed] = await logIn(url);

    assert.equal(cause, "login");
    assert.match(
      said,
      /takes no login of ours: it offers (?:XOAUTH2|NTLM, GSSAPI|OAUTHBEARER) alone, which .* not support/,
    );
    assert.equal(probed, `FIX ${said}`);
    assert.deepEqual(logins(), []);
  });
}

test("a server that offers no login is told as such, and so is one that offers it after STARTTLS alone", async (t) => {
  const without = await serve(t, [], {});
  const later = await serve(t, ["STARTTLS"], {});

  const [cause, said] = await logIn(without.url);
  const [, off] = await logIn(`${later.url}?tls=off`);

  assert.equal(cause, "login");
  assert.match(said, /it offers no login; take the user out of SMTP_URL/);
  assert.match(off, /it offers a login after STARTTLS alone; take tls=off out of SMTP_URL/);
});

/** Answers that say the mechanism is at fault: Exchange, servers that know no such command, and unclear ones. */
for (const refusal of [
  "504 5.7.4 Unrecognized authentication type",
  "504 no such mechanism",
  "502 not implemented",
  "535 5.7.3 Authentication unsuccessful",
  "550 5.7.1 not this way",
]) {
  test(`LOGIN is tried where PLAIN is refused as a mechanism: ${refusal}`, async (t) => {
    const well = { "AUTH LOGIN": "334 VXNlcm5hbWU6", bWFpbGVy: "334 UGFzc3dvcmQ6", czNjcmV0: "235 2.7.0 Ok" };
    const { url, logins } = await serve(t, ["AUTH LOGIN PLAIN"], { "AUTH PLAIN": refusal, ...well });

    const [, said, probed] = await logIn(url);

    assert.match(said, /no more is known here/, "the login has succeeded");
    assert.match(probed, /^OK LOGIN: 235/);
    assert.deepEqual(logins(), ["PLAIN", "LOGIN", "PLAIN", "LOGIN"]);
  });
}

/** Answers that speak of the password or the account: each further try may lock it. */
for (const refusal of [
  "535 5.7.8 Bad credentials",
  "535 Incorrect authentication data",
  "534-5.7.9 Application-specific password required",
  "535 5.7.139 basic authentication is disabled",
  "454 4.7.0 Temporary failure",
  "525 5.7.13 Account disabled",
]) {
  test(`a password that is refused is tried once: ${refusal}`, async (t) => {
    const { url, logins } = await serve(t, ["AUTH PLAIN LOGIN CRAM-MD5"], {
      "AUTH PLAIN": refusal.replace("534-5.7.9", "534 5.7.9"),
    });

    const [cause] = await logIn(url);

    assert.equal(cause, "login");
    assert.deepEqual(logins(), ["PLAIN", "PLAIN"], "once by the delivery, once by mail test");
  });
}

test("an account for which logins are turned off is told as that, not as a wrong password", async (t) => {
  const no = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.";
  const { url } = await serve(t, ["AUTH PLAIN"], { "AUTH PLAIN": no });

  const [, said, probed] = await logIn(url);

  assert.match(said, /allows this account no login by password; enable SMTP AUTH for it there: 535/);
  assert.equal(probed, `FIX ${said}`);
});

test("a third mechanism is never tried, and the last refusal is told", async (t) => {
  const no = "504 5.5.4 no such mechanism";
  const { url, logins } = await serve(t, ["AUTH PLAIN LOGIN CRAM-MD5"], {
    "AUTH PLAIN": no,
    "AUTH LOGIN": no,
    "AUTH CRAM-MD5": no,
  });

  const [, said, probed] = await logIn(url);

  assert.deepEqual(logins(), ["PLAIN", "LOGIN", "PLAIN", "LOGIN"]);
  assert.match(said, /does not support the mechanism LOGIN; look into its log: 504 5\.5\.4/);
  assert.equal(probed, `FIX ${said}`);
});

for (const mechanism of ["PLAIN", "LOGIN", "CRAM-MD5"] as const) {
  test(`a server that offers ${mechanism} alone takes the login`, async (t) => {
    const users: string[] = [];
    const server = new SMTPServer({
      authMethods: [mechanism],
      allowInsecureAuth: true,
      disabledCommands: ["STARTTLS"],
      disableReverseLookup: true,
      closeTimeout: 50,
      onAuth(auth, _session, done) {
        const isRight = mechanism === "CRAM-MD5" ? auth.validatePassword("s3cret") : auth.password === "s3cret";
        users.push(`${auth.method} ${auth.username} ${isRight}`);
        done(null, { user: auth.username });
      },
      onData: (stream, _session, done) => void stream.resume().on("end", () => done()),
    });
    server.on("error", () => {});
    server.listen(0, "127.0.0.1");
    await once(server.server, "listening");
    t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));

    const [kind] = await logIn(`smtp://mailer:s3cret@127.0.0.1:${(server.server.address() as AddressInfo).port}`);

    assert.equal(kind, "accepted");
    assert.deepEqual(new Set(users), new Set([`${mechanism} mailer true`]));
  });
}
