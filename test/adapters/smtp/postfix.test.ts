import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createMailTransport } from "../../../src/adapters/smtp/transport.ts";
import { noPostfix, type Postfix, startPostfix } from "../../support/postfix.ts";

const MIME = Buffer.from("Message-ID: <a@example.com>\r\nFrom: invites@example.com\r\n\r\nHello.\r\n");
const LARGE = Buffer.concat([MIME, Buffer.alloc(40_000, `${"x".repeat(70)}\r\n`)]);
const AUTHORITY = readFileSync(new URL("../../fixtures/tls/rsa-cert.pem", import.meta.url), "utf8");

describe("a real Postfix", { skip: noPostfix }, () => {
  let postfix: Postfix;
  const authorities = getCACertificates("default");
  before(async () => {
    setDefaultCACertificates([...authorities, AUTHORITY]);
    postfix = await startPostfix({
      may: [],
      encrypt: ["smtpd_tls_security_level=encrypt"],
      wrapped: ["smtpd_tls_wrappermode=yes"],
      old: ["smtpd_tls_protocols=TLSv1.1", "smtpd_tls_mandatory_protocols=TLSv1.1"],
      broken: ["smtpd_tls_cert_file=/nowhere/cert.pem"],
      // As Debian has it on port 587.
      submission: ["smtpd_relay_restrictions=permit_sasl_authenticated,reject"],
    });
  });
  after(async () => {
    await postfix.close();
    setDefaultCACertificates(authorities);
  });

  const cases: readonly (readonly [what: string, url: string, says: RegExp, mime?: Buffer])[] = [
    ["takes a mail by default", "smtp://localhost:may", /^250 2\.0\.0 Ok: queued as \w+$/],
    ["takes a mail after STARTTLS, verified", "smtp://localhost:encrypt?tls=require", /^250 2\.0\.0 Ok/],
    ["takes a mail after STARTTLS on this machine by default", "smtp://localhost:encrypt", /^250 2\.0\.0 Ok/],
    ["takes a mail over TLS from the start", "smtps://localhost:wrapped", /^250 2\.0\.0 Ok/],
    ["wants TLS where we do without", "smtp://localhost:encrypt?tls=off", /wants TLS first; take tls=off out .*: 530/],
    [
      "has a certificate that is not for its address",
      "smtp://127.0.0.1:encrypt?tls=require",
      /it is not for 127\.0\.0\.1/,
    ],
    ["speaks plain where we begin with TLS", "smtps://localhost:may", /it answers without TLS; use smtp:/],
    ["knows TLS 1.1 alone", "smtp://localhost:old?tls=verify", /it offers versions of TLS before 1\.2 alone/],
    ["knows TLS 1.1 alone, which is done without", "smtp://localhost:old", /^250 2\.0\.0 Ok/],
    [
      "cannot do TLS for now",
      "smtp://localhost:broken?tls=verify",
      /refuses it for now; where that lasts, .*: 454 4\.7\.0/,
    ],
    [
      "does not take our name",
      "smtp://localhost:may?name=4f2a91c0d3b7",
      /does not take "4f2a91c0d3b7" as the name .* name=HOST .*: 504/,
    ],
    [
      "takes no mail as large",
      "smtp://localhost:may",
      /^the mail has \d+ bytes, and the mail server localhost:\d+ takes no more than 20000; raise its limit$/,
      LARGE,
    ],
    [
      "wants a login, which it says of the recipient",
      "smtp://localhost:submission",
      /does not pass mail on to this recipient without a login; put user and password into SMTP_URL, .*: 554 5\.7\.1/,
    ],
    ["offers no login", "smtp://u:p@localhost:may", /it offers no login; take the user out of SMTP_URL/],
  ];
  for (const [what, url, says, mime = MIME] of cases) {
    test(what, async () => {
      const real = url.replace(/:([a-z]+)(?=$|\?)/, (_, name) => `:${postfix.ports.get(name)}`);
      const transport = createMailTransport(real, String, { from: "invites@example.com" });

      const outcome = await transport.send(mime, { from: "invites@example.com", to: "ops@example.com" });
      await transport.close();

      assert.match(outcome.kind === "accepted" ? outcome.response : outcome.error, says);
    });
  }
});
