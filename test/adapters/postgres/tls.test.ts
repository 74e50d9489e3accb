import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client } from "pg";
import { lookAtConnection } from "../../../src/adapters/postgres/encryption.ts";
import { openDatabase } from "../../../src/adapters/postgres/open.ts";
import { type Authority, createAuthority, type Issued, pemOf, withoutOpenssl } from "../../support/certificates.ts";
import { freePort } from "../../support/free-port.ts";
import { type PostgresServer, startServer, temporaryFolder } from "../../support/postgres-server.ts";

/** Users by what the server's pg_hba.conf lets them do. */
const HBA = `
hostssl   all tls_only   all scram-sha-256
hostnossl all plain_only all scram-sha-256
hostnossl all rejected   all reject
hostssl   all with_cert  all scram-sha-256 clientcert=verify-ca
local     all all            trust
host      all postgres,reader all scram-sha-256
`;

const folders: string[] = [];
let folder: string;
let authority: Authority;
let client: Issued;
let server: PostgresServer;
let plain: PostgresServer;
/** The folder of its socket. */
let sockets: string;

before(async () => {
  if (withoutOpenssl !== false) return;
  folder = newFolder();
  authority = createAuthority(folder, "ours");
  client = authority.issue("client", { subject: "with_cert" });
  const { cert, key } = pemOf(authority.issue("server", { subject: "localhost", names: "DNS:localhost" }));
  const expired = pemOf(authority.issue("expired", { subject: "localhost", names: "DNS:localhost", days: -1 }));
  const ca = pemOf({ cert: authority.cert, key: authority.cert }).cert;
  server = await startServer(newFolder(), false, {
    settings: { ssl: "on", ssl_ca_file: "ca.crt", unix_socket_directories: "" },
    files: {
      "pg_hba.conf": HBA,
      "ca.crt": ca,
      "server.crt": cert,
      "server.key": key,
      "expired.crt": expired.cert,
      "expired.key": expired.key,
    },
  });
  const home = newFolder();
  plain = await startServer(home, false, { settings: { unix_socket_directories: join(home, "data") }, files: {} });
  sockets = join(home, "data");
  await administer("CREATE ROLE tls_only LOGIN PASSWORD 'pw'; CREATE ROLE plain_only LOGIN PASSWORD 'pw'");
  await administer("CREATE ROLE with_cert LOGIN PASSWORD 'pw'; CREATE ROLE rejected LOGIN PASSWORD 'pw'");
  await administer("CREATE ROLE reader LOGIN PASSWORD 'pw'");
  await administer("CREATE ROLE reader LOGIN PASSWORD 'pw'", plain);
  await administer("ALTER ROLE reader SET default_transaction_read_only = on", plain);
});
after(async () => {
  await server?.stop();
  await plain?.stop();
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

function newFolder(): string {
  const path = mkdtempSync(join(temporaryFolder(), "invitewatch-tls-"));
  folders.push(path);
  return path;
}

async function administer(sql: string, of = server): Promise<void> {
  const admin = new Client({ connectionString: of.url });
  await admin.connect();
  await admin.query(sql);
  await admin.end();
}

/** The server's URL with another host, user and query. */
function urlOf(query: string, { of = server, user = "postgres", host = "localhost" } = {}): string {
  const url = new URL(of.url);
  url.hostname = host;
  url.search = query;
  if (user !== "postgres") {
    url.username = user;
    url.password = "pw";
  }
  return url.href;
}

/** What the connection is, or the sentence that says why there is none. */
async function connectionTo(url: string): Promise<string> {
  const warned: string[] = [];
  const listen = (warning: Error) => warned.push(warning.message);
  process.on("warning", listen);
  try {
    const database = await openDatabase(url, "command");
    try {
      const { rows } = await database.sql.query<{ ssl: boolean }>(
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        [],
      );
      const { encryption: told } = await lookAtConnection(database.connection);
      assert.equal(rows[0]?.ssl ?? false, told.includes("TLS 1"), told);
      return told;
    } finally {
      await database.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await new Promise(setImmediate);
    process.off("warning", listen);
    assert.deepEqual(warned, []);
  }
}

const VERIFIED = /^TLS 1\.3, certificate verified$/;
const CA_ONLY = /^TLS 1\.3, certificate verified, host name not \(sslmode=/;
const UNVERIFIED = /^TLS 1\.3, certificate not verified \(sslmode=/;
const PLAIN = /^not encrypted/;

describe("sslmode means what libpq says", { skip: withoutOpenssl }, () => {
  const root = () => `&sslrootcert=${encodeURIComponent(authority.cert)}`;

  /** The query, and what comes of it at a server with a certificate of its own CA and at one without TLS. */
  const cases: readonly [query: () => string, withTls: RegExp, withoutTls: RegExp][] = [
    [() => "", PLAIN, PLAIN],
    [() => "sslmode=disable", PLAIN, PLAIN],
    [() => "sslmode=allow", PLAIN, PLAIN],
    [() => "sslmode=prefer", UNVERIFIED, PLAIN],
    [() => "sslmode=require", UNVERIFIED, /has no TLS, and sslmode in DATABASE_URL asks for it; turn it on there/],
    [() => "ssl=true", UNVERIFIED, /has no TLS/],
    [() => `sslmode=require${root()}`, CA_ONLY, /has no TLS/],
    [() => `sslmode=verify-ca${root()}`, CA_ONLY, /has no TLS/],
    [() => `sslmode=verify-full${root()}`, VERIFIED, /has no TLS/],
    [() => "sslmode=verify-full", /of a CA that is not trusted here .*sslrootcert.*NODE_EXTRA_CA_CERTS/, /has no TLS/],
    [() => "sslrootcert=system", /of a CA that is not trusted here/, /has no TLS/],
    [() => `sslmode=verify-full${root()}&sslnegotiation=direct`, VERIFIED, /./],
    [() => "sslmode=require&ssl_max_protocol_version=TLSv1.2", /^TLS 1\.2, certificate not verified/, /has no TLS/],
    [() => "sslmode=require&channel_binding=require", UNVERIFIED, /has no TLS/],
  ];
  for (const [query, withTls, withoutTls] of cases) {
    test(query.toString().slice(6) || "nothing", async () => {
      assert.match(await connectionTo(urlOf(query())), withTls);
      assert.match(await connectionTo(urlOf(query(), { of: plain })), withoutTls);
    });
  }

  test("a name that the certificate does not hold is refused by verify-full alone", async () => {
    assert.match(
      await connectionTo(urlOf(`sslmode=verify-full${root()}`, { host: "127.0.0.1" })),
      /is for another host name \(.*127\.0\.0\.1 is not in the cert's list\); put a name that it holds into DATABASE_URL, or set sslmode=verify-ca\.$/,
    );
    assert.match(await connectionTo(urlOf(`sslmode=verify-ca${root()}`, { host: "127.0.0.1" })), CA_ONLY);
  });

  test("allow and prefer take the other way where the server lets nobody in by the first", async () => {
    assert.match(await connectionTo(urlOf("sslmode=allow", { user: "tls_only" })), UNVERIFIED);
    assert.match(await connectionTo(urlOf("sslmode=prefer", { user: "plain_only" })), PLAIN);
  });

  test("a wrong password is told as such, whichever way was tried last", async () => {
    for (const query of ["sslmode=allow", "sslmode=prefer", "sslmode=require", "sslmode=disable"]) {
      const url = new URL(urlOf(query));
      url.password = "wrong";
      assert.match(await connectionTo(url.href), /refuses the login; check the user and password/, query);
    }
  });

  test("a server that takes TLS only says so, and so does one that takes none of it", async () => {
    for (const user of ["tls_only", "rejected"]) {
      assert.match(
        await connectionTo(urlOf("sslmode=disable", { user })),
        /lets nobody in without encryption \(28000\); set sslmode=verify-full or sslmode=require/,
      );
    }
    assert.match(
      await connectionTo(urlOf("sslmode=require", { user: "plain_only" })),
      /no rule in its pg_hba\.conf .* over TLS/,
    );
  });

  test("a client certificate is shown where one is asked for", async () => {
    const files = `&sslcert=${encodeURIComponent(client.cert)}&sslkey=${encodeURIComponent(client.key)}`;

    assert.match(await connectionTo(urlOf(`sslmode=require${files}`, { user: "with_cert" })), UNVERIFIED);
    assert.match(
      await connectionTo(urlOf("sslmode=require", { user: "with_cert" })),
      /asks for a client certificate \(28000\); name one with sslcert and sslkey/,
    );
  });

  test("an expired certificate is told as such", async () => {
    const use = (name: string) =>
      administer(`ALTER SYSTEM SET ssl_cert_file = '${name}.crt'`)
        .then(() => administer(`ALTER SYSTEM SET ssl_key_file = '${name}.key'`))
        .then(() => administer("SELECT pg_reload_conf()"));
    await use("expired");

    for (let said = ""; !/has expired; renew it there\.$/.test(said); ) {
      said = await connectionTo(urlOf(`sslmode=verify-full${root()}`));
      assert.match(said, /has expired|certificate verified/);
    }
    assert.match(await connectionTo(urlOf("sslmode=require")), UNVERIFIED);
    await use("server");
  });
});

describe("a file that DATABASE_URL names", { skip: withoutOpenssl }, () => {
  const query = (parameter: string, path: string) => `sslmode=verify-full&${parameter}=${encodeURIComponent(path)}`;

  test("that is not there, or holds no certificate, is named", async () => {
    const broken = join(folder, "broken.crt");
    writeFileSync(broken, "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
    writeFileSync(join(folder, "empty.crt"), "nothing\n");

    assert.match(
      await connectionTo(urlOf(query("sslrootcert", "/nowhere/ca.crt"))),
      /^The file \/nowhere\/ca\.crt \(sslrootcert in DATABASE_URL\) does not exist; correct the path/,
    );
    for (const path of [broken, join(folder, "empty.crt")]) {
      assert.match(await connectionTo(urlOf(query("sslrootcert", path))), /holds no certificate in PEM form\.$/);
    }
    assert.match(
      await connectionTo(urlOf(`${query("sslcert", client.cert)}&sslkey=${encodeURIComponent(broken)}`)),
      /sslkey in DATABASE_URL\) holds no private key/,
    );
  });
});

test("a Unix socket is found in each form of the URL, and needs no sslmode", { skip: withoutOpenssl }, async () => {
  const { username, password, port } = new URL(plain.url);
  const [login, folderEncoded] = [`${username}:${password}`, encodeURIComponent(sockets)];

  for (const url of [
    `postgres://${login}@/postgres?host=${sockets}&port=${port}`,
    `postgres://${login}@${folderEncoded}:${port}/postgres`,
    `postgres://${login}@/postgres?host=${folderEncoded}&port=${port}&sslmode=require`,
  ]) {
    assert.equal(await connectionTo(url), "over a Unix socket");
  }
});

describe("several hosts", { skip: withoutOpenssl }, () => {
  const urlWith = (hosts: string, query = "") => {
    const { username, password } = new URL(server.url);
    return `postgres://${username}:${password}@${hosts}/postgres${query}`;
  };

  test("are tried in their order until one answers", async () => {
    const nobody = await freePort();
    const { port } = new URL(server.url);

    assert.match(await connectionTo(urlWith(`127.0.0.1:${nobody},localhost:${port}`, "?sslmode=require")), UNVERIFIED);
    assert.match(await connectionTo(urlWith(`localhost:${port},127.0.0.1:${nobody}`)), PLAIN);
    assert.match(
      await connectionTo(urlWith(`127.0.0.1:${nobody},[::1]:${nobody}`)),
      new RegExp(
        `^None of the servers in DATABASE_URL can be used\\. .*127\\.0\\.0\\.1:${nobody} .*\\[::1\\]:${nobody} cannot`,
      ),
    );
  });

  test("that are read-only are passed over where one to write to is asked for", async () => {
    const [readOnly, writable] = [plain, server].map((of) => `localhost:${new URL(of.url).port}`);
    const urlFor = (hosts: string, wanted: string) =>
      `postgres://reader:pw@${hosts}/postgres?target_session_attrs=${wanted}`;

    assert.match(
      await connectionTo(urlFor(`${readOnly}`, "read-write")),
      /is read-only, and target_session_attrs asks for read-write\.$/,
    );
    assert.match(await connectionTo(urlFor(`${readOnly},${writable}`, "read-write")), PLAIN);
    assert.match(await connectionTo(urlFor(`${writable},${readOnly}`, "read-only")), PLAIN);
    assert.match(await connectionTo(urlFor(`${writable},${readOnly}`, "prefer-standby")), PLAIN);
  });

  test("a password that none is given for is asked for", async () => {
    const { port } = new URL(server.url);

    assert.match(await connectionTo(`postgres://postgres@localhost:${port}/postgres`), /asks for a password/);
  });
});
