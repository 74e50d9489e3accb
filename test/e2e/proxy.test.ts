import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { startConnectProxy } from "../support/connect-proxy.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { runProgram } from "../support/program.ts";

const HOST = "api.example.test";
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const skip = hasOpenssl ? false : "openssl is not installed here";

let folder: string;
let certificate: string;
let api: Server;
let apiPort: number;
let database: TestDatabase;

before(async () => {
  if (!hasOpenssl) return;
  folder = mkdtempSync(join(tmpdir(), "proxy-"));
  certificate = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const name = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST},IP:127.0.0.1`];
  const files = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", key, "-out", certificate];
  spawnSync("openssl", ["req", "-x509", "-nodes", "-days", "2", ...name, ...files]);
  api = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, ({ url = "" }, response) => {
    const result = url.includes("verify") ? { status: "active" } : [];
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ success: true, result, result_info: { total_count: 0 } }));
  });
  api.listen(0, "127.0.0.1");
  await once(api, "listening");
  apiPort = (api.address() as AddressInfo).port;
  database = await createTestDatabase();
});

after(async () => {
  if (!hasOpenssl) return;
  rmSync(folder, { recursive: true });
  api.closeAllConnections();
  api.close();
  await database.drop();
});

/** What `check` finds with these variables. */
async function check(env: Record<string, string>): Promise<string> {
  const { stdout, stderr } = await runProgram(["check"], {
    CLOUDFLARE_API_TOKEN: "a-token-of-the-test",
    CLOUDFLARE_BASE_URL: `https://${HOST}/client/v4`,
    DATABASE_URL: database.url,
    MAIL_FROM: "invites@example.com",
    MAIL_TO: "ops@example.com",
    SYNC_DEADLINE: "8s",
    NODE_EXTRA_CA_CERTS: certificate,
    ...env,
  });
  return stdout + stderr;
}

async function proxied(t: TestContext, how: { readonly login?: string; readonly status?: number } = {}) {
  return await startConnectProxy(t, { targetPort: apiPort, ...how });
}

for (const variable of ["HTTPS_PROXY", "https_proxy"]) {
  test(`the API is read through the proxy that ${variable} names, with its login`, { skip }, async (t) => {
    const proxy = await proxied(t, { login: "user@x:pa/ss-word" });

    const said = await check({ [variable]: `http://user%40x:pa%2Fss-word@127.0.0.1:${proxy.port}` });

    assert.match(said, new RegExp(`OK +proxy +${HOST} is reached through http://127\\.0\\.0\\.1:${proxy.port}\\n`));
    assert.match(said, /OK +list of default +read to the end: 0 of 0/);
    assert.deepEqual([...new Set(proxy.asked)], [`${HOST}:443`]);
    assert.doesNotMatch(said, /ss-word/);
  });
}

test("what NO_PROXY names, and this machine, is reached directly", { skip }, async (t) => {
  const proxy = await proxied(t);
  const variables = {
    HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
    CLOUDFLARE_BASE_URL: `https://127.0.0.1:${apiPort}/v4`,
  };

  const loopback = await check({ ...variables, NODE_USE_ENV_PROXY: "1" });
  const named = await check({ HTTPS_PROXY: `127.0.0.1:${proxy.port}`, NO_PROXY: "example.test" });

  assert.match(loopback, /OK +list of default +read to the end/);
  assert.match(named, new RegExp(`OK +proxy +${HOST} is reached directly`));
  assert.match(named, new RegExp(`no complete answer from ${HOST} \\(ENOTFOUND|EAI_AGAIN`));
  assert.deepEqual(proxy.asked, []);
});

test("a proxy that fails is blamed itself, without its login", { skip }, async (t) => {
  const refusing = await proxied(t, { login: "user:right" });
  const barring = await proxied(t, { status: 403 });
  const lost = await proxied(t, { status: 502 });
  for (const [url, sentence] of [
    [
      "http://user:secret-word@127.0.0.1:1",
      /the proxy http:\/\/127\.0\.0\.1:1 \(HTTPS_PROXY\) cannot be reached \(ECONNREFUSED\)/,
    ],
    [
      "http://user:secret-word@proxy.invalid:3128",
      /the proxy http:\/\/proxy\.invalid:3128 .* cannot be reached \((ENOTFOUND|EAI_AGAIN)\)/,
    ],
    [
      `http://user:secret-word@127.0.0.1:${refusing.port}`,
      /wants a login, or another one \(407\): set user and password in HTTPS_PROXY/,
    ],
    [`http://127.0.0.1:${barring.port}`, /does not let us through to api\.example\.test \(403\)/],
    [`http://127.0.0.1:${lost.port}`, /cannot reach api\.example\.test \(502\)/],
    [`https://user:secret-word@127.0.0.1:${lost.port}`, /TLS fails with the proxy https:.*(ERR_SSL|EPROTO)/],
  ] as const) {
    const said = await check({ HTTPS_PROXY: url });

    assert.match(said, sentence, url);
    assert.doesNotMatch(said, /secret-word/);
    assert.doesNotMatch(said, /check the network and CLOUDFLARE_BASE_URL/);
  }
});

test("a proxy that cannot be one stops the start, without its login", { skip }, async () => {
  for (const url of ["socks5://user:secret-word@127.0.0.1:1080", "http://user:secret%zz@proxy", "http:///x"]) {
    const said = await check({ HTTPS_PROXY: url });

    assert.match(said, /HTTPS_PROXY/);
    assert.doesNotMatch(said, /secret/);
  }
});
