import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { loadFile } from "./with-file.ts";

const EXAMPLE = new URL("../../config.example.yaml", import.meta.url);

const FULL = `
timezone: Europe/Berlin
schedule: "*/15 * * * *"
thresholds: [72h, 24h, 6h, 25%]
quietHours: { from: "22:00", to: "07:00" }
floodCap: 50
mail:
  from: Invitewatch <invites@example.com>
  to: [ops@example.com]
watches:
  - name: ops
    apiTokenFile: secrets/cf_ops
    to: [ops@example.com, Lead <lead@example.com>]
    schedule: "*/5 * * * *"
    timezone: UTC
    thresholds: [48h, 12h]
    quietHours: { from: "20:00", to: "08:00", timezone: America/New_York }
  - name: billing
    email: billing@example.com
    apiKey: key-0123
`;

test("a watch has what it says itself, and what stands on top where it says nothing", () => {
  const config = loadFile(FULL, { files: { "/etc/iw/secrets/cf_ops": "token-0123\n" } });

  assert.deepEqual(config.watches, [
    {
      name: "ops",
      credential: { kind: "token", token: "token-0123" },
      to: ["ops@example.com", "lead@example.com"],
      schedule: "*/5 * * * *",
      intervalMs: 300_000,
      timezone: "UTC",
      thresholds: [
        { kind: "lead", name: "48h", ms: 172_800_000 },
        { kind: "lead", name: "12h", ms: 43_200_000 },
      ],
      quietHours: { fromMinute: 1200, toMinute: 480, timezone: "America/New_York" },
    },
    {
      name: "billing",
      credential: { kind: "key", email: "billing@example.com", key: "key-0123" },
      to: ["ops@example.com"],
      schedule: "*/15 * * * *",
      intervalMs: 900_000,
      timezone: "Europe/Berlin",
      thresholds: [
        { kind: "lead", name: "72h", ms: 259_200_000 },
        { kind: "lead", name: "24h", ms: 86_400_000 },
        { kind: "lead", name: "6h", ms: 21_600_000 },
        { kind: "share", name: "25%", share: 0.25 },
      ],
      quietHours: { fromMinute: 1320, toMinute: 420, timezone: "Europe/Berlin" },
    },
  ]);
  assert.equal(config.floodCap, 50);
  assert.equal(config.timezone, "Europe/Berlin");
});

test("variables fill what the file leaves out", () => {
  const config = loadFile("watches: [{ name: ops, apiToken: token-0123 }]", {
    env: {
      SMTP_URL: "smtp://mail.example.com",
      MAIL_FROM: "iw@example.com",
      MAIL_TO: "ops@example.com",
      SYNC_SCHEDULE: "*/5 * * * *",
      TIMEZONE: "Asia/Tokyo",
      EXPIRY_THRESHOLDS: "2d",
      FLOOD_CAP: "7",
    },
  });

  const [watch] = config.watches;
  assert.deepEqual([watch?.to, watch?.schedule, watch?.timezone], [["ops@example.com"], "*/5 * * * *", "Asia/Tokyo"]);
  assert.deepEqual(watch?.thresholds, [{ kind: "lead", name: "2d", ms: 172_800_000 }]);
  assert.equal(config.mail?.from, "iw@example.com");
  assert.equal(config.floodCap, 7);
  assert.deepEqual(config.missing, []);
});

test("without watches in the file, the environment's credential gives the watch named default", () => {
  const yaml = `
quietHours: { from: "22:00", to: "7:00" }
mail: { to: ops@example.com }
routes: [{ match: { watch: default }, to: lead@example.com }]`;

  const config = loadFile(yaml, { env: { CLOUDFLARE_API_TOKEN: "token-0123" } });

  const [watch] = config.watches;
  assert.deepEqual([watch?.name, watch?.to], ["default", ["ops@example.com"]]);
  assert.deepEqual(watch?.quietHours, { fromMinute: 1320, toMinute: 420, timezone: "UTC" });
  assert.equal(config.routes[0]?.name, "routes[0]");
});

test("a file that is empty sets nothing", () => {
  assert.deepEqual(
    ["", "# nothing yet\n", "{}"].map((yaml) => loadFile(yaml).watches),
    [[], [], []],
  );
});

test("TZ gives way to the time zone of the file, whatever it holds", () => {
  const config = loadFile("timezone: Asia/Tokyo", { env: { TZ: "CET-1CEST" } });

  assert.equal(config.timezone, "Asia/Tokyo");
});

test("a watch sets the quiet hours on top aside with off", () => {
  const config = loadFile(`
quietHours: { from: "22:00", to: "07:00" }
watches: [{ name: a, apiToken: token-a, quietHours: off }, { name: b, apiToken: token-b }]`);

  assert.deepEqual(
    config.watches.map(({ quietHours }) => quietHours?.timezone ?? null),
    [null, "UTC"],
  );
});

test("quiet hours on top are in each watch's own time zone unless they name one", () => {
  const config = loadFile(`
quietHours: { from: "22:00", to: "07:00" }
watches: [{ name: a, apiToken: token-a, timezone: Asia/Tokyo }, { name: b, apiToken: token-b }]`);

  assert.deepEqual(
    config.watches.map(({ quietHours }) => quietHours?.timezone),
    ["Asia/Tokyo", "UTC"],
  );
});

test("one mailbox has one spelling in defaults, watches and routes: the first", () => {
  const config = loadFile(`
mail: { to: ops@Example.com }
watches:
  - { name: a, apiToken: token-a, to: [lead@example.COM, ops@example.com, lead@example.com] }
  - { name: b, apiToken: token-b }
routes: [{ match: { watch: a }, to: [ops@EXAMPLE.com, lead@example.com, Ops@example.com] }]`);

  assert.deepEqual(
    [config.watches[0]?.to, config.watches[1]?.to, config.routes[0]?.to],
    [
      ["lead@example.COM", "ops@Example.com"],
      ["ops@Example.com"],
      ["ops@Example.com", "lead@example.COM", "Ops@example.com"],
    ],
  );
});

test("routes are read in their order, one pattern or several, beside the default or in its place", () => {
  const config = loadFile(`
watches: [{ name: ops, apiToken: token-0123 }]
routes:
  - { match: { watch: OPS, type: ["invite.*", "!invite.changed"] }, to: a@example.com, also: true }
  - { match: { organization: "Acme*", inviter: "*@acme.example", role: "*Admin*" }, to: [b@example.com] }`);

  assert.deepEqual(config.routes, [
    {
      name: "routes[0]",
      match: {
        watch: ["OPS"],
        organization: null,
        inviter: null,
        role: null,
        type: ["invite.*", "!invite.changed"],
      },
      to: ["a@example.com"],
      also: true,
    },
    {
      name: "routes[1]",
      match: { watch: null, organization: ["Acme*"], inviter: ["*@acme.example"], role: ["*Admin*"], type: null },
      to: ["b@example.com"],
      also: false,
    },
  ]);
});

test("a watch that has nobody to mail is missing something, and is named", () => {
  const config = loadFile(`
watches:
  - { name: a, apiToken: token-a, to: a@example.com }
  - { name: b, apiToken: token-b }`);

  assert.deepEqual(
    config.missing.filter((sentence) => sentence.includes("nobody")),
    ['The watch b has nobody to mail: give it "to", or set mail.to or MAIL_TO.'],
  );
});

test("the secrets of every watch are listed", () => {
  const config = loadFile(FULL, { files: { "/etc/iw/secrets/cf_ops": "token-0123" } });

  assert.deepEqual(config.secrets, ["token-0123", "key-0123"]);
});

test("the default jitter gives way to the tightest schedule of any watch", () => {
  const config = loadFile(`
watches:
  - { name: a, apiToken: token-a }
  - { name: b, apiToken: token-b, schedule: "*/10 * * * * *" }`);

  assert.equal(config.jitterMs, 5_000);
});

test("anchors, aliases and merged mappings are taken", () => {
  const config = loadFile(`
watches:
  - &first { name: a, apiToken: token-a, to: &people [a@example.com] }
  - { <<: *first, name: b, apiToken: token-b, to: *people }`);

  assert.deepEqual(
    config.watches.map(({ name, to }) => [name, to]),
    [
      ["a", ["a@example.com"]],
      ["b", ["a@example.com"]],
    ],
  );
});

test("thresholds that nobody wrote are good for any schedule", () => {
  const config = loadFile(`watches: [{ name: a, apiToken: token-a, schedule: "0 9 * * 1" }]`);

  assert.equal(config.watches[0]?.thresholds.length, 4);
});

test("the example file loads, from the disk, with its secrets beside it", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "secrets"));
  writeFileSync(join(folder, "secrets/cf_ops"), "token-0123\n");
  writeFileSync(join(folder, "secrets/cf_billing_key"), "key-0123\n");
  writeFileSync(join(folder, "config.yaml"), `\uFEFF${readFileSync(EXAMPLE, "utf8").replaceAll("\n", "\r\n")}`);

  const config = loadConfig({ INVITEWATCH_CONFIG: join(folder, "config.yaml"), SMTP_URL: "smtp://mail.example.com" });

  assert.deepEqual(config.missing, []);
  assert.deepEqual(
    [config.watches.map(({ name }) => name), config.routes.map(({ also }) => also)],
    [
      ["ops", "billing"],
      [true, false],
    ],
  );
});
