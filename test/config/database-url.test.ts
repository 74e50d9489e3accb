import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDatabaseUrl } from "../../src/config/database-url.ts";
import { loadConfig } from "../../src/config/load.ts";

function parse(url: string) {
  const faults: string[] = [];
  const address = parseDatabaseUrl(url, (fault) => faults.push(fault));
  return { address, faults };
}

function addressOf(url: string) {
  const { address, faults } = parse(url);
  assert.deepEqual(faults, [], url);
  assert.ok(address);
  return address;
}

describe("every form that libpq takes", () => {
  const forms: readonly [url: string, hosts: readonly string[], login: string][] = [
    ["postgres://u:p@localhost/d", ["localhost:5432"], "u p d"],
    ["postgresql://u:p@127.0.0.1:6543/d", ["127.0.0.1:6543"], "u p d"],
    ["POSTGRES://u:p@[::1]:6543/d", ["::1:6543"], "u p d"],
    ["postgres://u:p@/d?host=/cloudsql/project:region:name", ["/cloudsql/project:region:name:5432"], "u p d"],
    ["postgres://u:p@%2Fvar%2Frun%2Fpostgresql:6543/d", ["/var/run/postgresql:6543"], "u p d"],
    ["postgres:///d?host=/run/one,/run/two&port=1,2", ["/run/one:1", "/run/two:2"], "  d"],
    ["postgres://u@h1:5432,h2:5433/d?sslmode=require", ["h1:5432", "h2:5433"], "u  d"],
    ["postgres://u@h1,h2/d?sslmode=require&port=6543", ["h1:6543", "h2:6543"], "u  d"],
    ["postgres://u@[fe80::1]:1,h2/d?sslmode=require", ["fe80::1:1", "h2:5432"], "u  d"],
    ["postgres:///d", ["/var/run/postgresql:5432", "/tmp:5432"], "  d"],
    ["postgres://localhost", ["localhost:5432"], "  "],
    ["postgres://?user=u&password=p%26&dbname=d&host=localhost", ["localhost:5432"], "u p& d"],
    ["postgres://u%40corp:p%40%2F%3F%25%23@localhost/d%20b", ["localhost:5432"], "u@corp p@/?%# d b"],
    ["postgres://u:p@ss:word#1@localhost/d", ["localhost:5432"], "u p@ss:word#1 d"],
  ];
  for (const [url, hosts, login] of forms) {
    test(url, () => {
      const address = addressOf(url);

      assert.deepEqual(
        address.hosts.map(({ host, port }) => `${host}:${port}`),
        hosts,
      );
      assert.equal([address.user, address.password, address.database].map((part) => part ?? "").join(" "), login);
    });
  }
});

describe("a password that is not encoded", () => {
  const URLS = [
    "postgres://iw:2024/Secret@db/x",
    "postgres://iw:2024/Secret@db/x?sslmode=require",
    "postgres://iw:2024?Secret@db/x",
    "postgres://iw:2024?Secret=1@db/x",
    "postgres://iw:Se@cret/2024@db/x",
    "postgres://iw:Se@cret?2024@db/x",
    "postgres://iw:%2024/Secret@db/x",
    "postgres://iw:2024 Secret@db/x",
    "postgres://iw:2024/Secret@db:port/x",
    "postgres://iw:Secret2024%@db/x",
    "postgres://Secret2024:99999/x",
    "smtp://iw:2024/Secret@mail.example.com",
    "smtp://iw:2024?Secret@mail.example.com",
    "smtp://iw:Se/cret@mail.example.com",
    "https://iw:2024/Secret@example.com",
    "https://iw:2024?Secret@example.com",
    "https://iw:Sec ret@example.com",
    "https://iw:Secret@example.com",
  ];
  /** What has a URL, by its scheme. */
  const SETTINGS: Readonly<Record<string, readonly string[]>> = {
    postgres: ["DATABASE_URL"],
    smtp: ["SMTP_URL", "FALLBACK_SMTP_URL"],
    https: ["CLOUDFLARE_BASE_URL", "PUBLIC_URL", "HEARTBEAT_URL", "FALLBACK_WEBHOOK_URL"],
  };
  for (const url of URLS) {
    for (const variable of SETTINGS[url.slice(0, url.indexOf(":"))] ?? []) {
      test(`is refused and no part of it shown: ${variable}=${url}`, () => {
        assert.throws(
          () => loadConfig({ [variable]: url, FALLBACK_WEBHOOK_SECRET: "plain-text-of-24-or-more" }),
          ({ message }: Error) => {
            assert.match(message, new RegExp(`${variable}: found`));
            for (const part of ["2024", "Secr", "Sec ", "Se@", "Se/"]) assert.ok(!message.includes(part), message);
            return true;
          },
        );
      });
    }
  }

  test("is told how to write it", () => {
    assert.match(
      parse("postgres://iw:2024/Secret@db/x").faults.join(),
      /seems to hold a \/ or \?.* write .* \/ as %2F/,
    );
  });
});

describe("what a URL lacks, or has and should not", () => {
  const faulty: readonly [url: string, fault: RegExp][] = [
    ["postgres://u:p@db/x", /names no sslmode.*sslmode=verify-full.*sslmode=require.*sslmode=disable/],
    ["postgres://u:p@10.0.0.5/x", /names no sslmode/],
    ["postgres://u:p@localhost,db/x", /names no sslmode/],
    ["postgres://u:p@/x?host=db.example.com", /names no sslmode/],
    ["postgres://u:p@db/x?schema=a", /names no sslmode/],
    [
      "postgres://u:p@db/x?sslmode=bogus",
      /sslmode is not a known word; did you mean .*\? It takes disable, allow, prefer/,
    ],
    ["postgres://u:p@db/x?sslmode=verify_full", /did you mean verify-full\?/],
    ["postgres://u:p@db/x?sslmode=Require", /did you mean require\?/],
    ["postgres://u:p@db/x?sslmode=no-verify", /no-verify is sslmode=require/],
    ["postgres://u:p@db/x?sslmode=verify-ca", /verify-ca needs sslrootcert/],
    ["postgres://u:p@db/x?sslmode=require&sslrootcert=system", /goes with sslmode=verify-full alone/],
    ["postgres://u:p@db/x?sslmode=require&sslcert=/c", /sslcert and sslkey go together/],
    ["postgres://u:p@db/x?ssl=yes", /ssl is neither true nor false/],
    ["postgres://u:p@db/x?sslmode=require&sslrotcert=/c", /sslrotcert that is not known; did you mean sslrootcert\?/],
    ["postgres://u:p@db/x?sslmode=require&service=x", /service is not supported here/],
    ["postgres://u:p@localhost/x?target_session_attrs=readwrite", /did you mean read-write\?/],
    ["postgres://u:p@localhost/x?connect_timeout=soon", /not a number of seconds/],
    ["postgres://u:p@localhost/x?client_encoding=LATIN1", /client_encoding is not UTF8/],
    ["postgres://u:p@h1,h2/x?sslmode=disable&port=1,2,3", /2 hosts and 3 ports/],
    ["postgres://u:p@localhost:0/x", /ports is not a number/],
    ["postgres://u:p@localhost:pg/x", /hosts cannot be read/],
    ["postgres:/localhost/x", /neither a postgres:\/\/ URL nor pglite:/],
  ];
  for (const [url, fault] of faulty) {
    test(url, () => {
      const { address, faults } = parse(url);

      assert.equal(address, undefined);
      assert.match(faults.join(" "), fault);
    });
  }
});

test("what other clients and hosted providers put there is taken", () => {
  const pasted = [
    "postgres://u:p@ep-x.neon.tech/d?sslmode=require&channel_binding=require",
    "postgres://u:p@db.supabase.com:6543/d?sslmode=require&pgbouncer=true&connection_limit=1&pool_timeout=20",
    "postgres://u:p@x.rds.amazonaws.com/d?ssl=true&application_name=invitewatch&connect_timeout=10",
    "postgres://u:p@x.ondigitalocean.com:25060/d?sslmode=require&options=-c%20statement_timeout%3D5s",
    "postgres://u:p@db/d?sslmode=prefer&schema=invites&uselibpqcompat=true&gssencmode=disable",
    "postgres://u:p@db/d?sslrootcert=system",
  ].map(addressOf);

  assert.deepEqual(
    pasted.map(({ sslmode, schema, ignored }) => [sslmode, schema, ignored]),
    [
      ["require", null, []],
      ["require", null, ["connection_limit", "pool_timeout"]],
      ["require", null, []],
      ["require", null, []],
      ["prefer", "invites", []],
      ["verify-full", null, []],
    ],
  );
  assert.equal(pasted[2]?.connectTimeoutMs, 10_000);
  assert.equal(pasted[3]?.options, "-c statement_timeout=5s");
});

test("limits of the session go the way of options", () => {
  const { options } = addressOf(
    "postgres://localhost/d?statement_timeout=5%20s&options=-c%20geqo%3Doff&lock_timeout=9",
  );

  assert.equal(options, "-c geqo=off -c statement_timeout=5\\ s -c lock_timeout=9");
});

test("the first name of search_path is the schema", () => {
  assert.equal(addressOf("postgres://localhost/d?search_path=%22Invites%22,public").schema, "Invites");
});

test("passwords are masked in every form of the URL", () => {
  for (const url of [
    "postgres://u:pass%40word@h1:1,h2:2/d?sslmode=require",
    "postgres://localhost/d?password=pass%40word",
    "postgres://u:pass%40word@%2Frun/d",
  ]) {
    const { secrets } = loadConfig({ DATABASE_URL: url });

    assert.deepEqual(
      ["pass%40word", "pass@word"].filter((secret) => !secrets.includes(secret)),
      [],
      url,
    );
  }
});
