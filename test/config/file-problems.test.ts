import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { errorOf, problemsOf, type Surrounded } from "./with-file.ts";

const OPS = "{ name: ops, apiToken: token-0123 }";
const ROUTE = "watches: [{ name: ops, apiToken: token-0123 }]\nroutes:\n  - ";

type Refused = readonly [sentence: string, yaml: string, key: string, message: RegExp, surrounded?: Surrounded];

const KEYS: readonly Refused[] = [
  ["an unknown key", "shedule: x", "1: shedule", /did you mean schedule\? Accepted: timezone, schedule/],
  ["an unknown key of a watch", "watches:\n  - { name: a, apiTokn: x }", "2: watches[0].apiTokn", /mean apiToken\?/],
  [
    "an unknown key of a match",
    `${ROUTE}{ match: { organisation: x }, to: a@b.example }`,
    "3: routes[0].match.organisation",
    /mean organization\?/,
  ],
  ["a key that is far from all", "zzz: 1", "1: zzz", /did you mean/],
  [
    "a setting that only a variable has",
    "smtpUrl: x",
    "1: smtpUrl",
    /environment variable SMTP_URL \(or SMTP_URL_FILE\)/,
  ],
  ["a variable's name", "DATABASE_URL: x", "1: DATABASE_URL", /environment variable DATABASE_URL/],
  ["a setting under mail that only a variable has", "mail: { smtp_url: x }", "1: mail.smtp_url", /variable SMTP_URL/],
  ["a group of variables", "http: { port: 80 }", "1: http", /HTTP_HOST, HTTP_PORT, HTTP_TOKEN/],
  ["a setting by its variable's name", "MAIL_TO: x", "1: MAIL_TO", /it is called mail\.to/],
  ["a credential on top", "apiToken: x", "1: apiToken", /belongs to a watch: watches\[\]/],
  [
    "a key that belongs elsewhere",
    `${ROUTE}{ match: { watch: ops }, to: a@b.example, organization: x }`,
    "3: routes[0].organization",
    /routes\[\]\.match\.organization/,
  ],
  ["a key that is there twice", "timezone: UTC\ntimezone: UTC", "2", /The key timezone is there twice/],
  ["a key without a value", "timezone:", "1: timezone", /no value.*an IANA time zone/],
  ["a list in place of a text", "timezone: [UTC]", "1: timezone", /It is a list and not one text/],
  ["a mapping in place of a list", "watches: {}", "1: watches", /It is not a list/],
  ["a text in place of a mapping", "mail: ops@example.com", "1: mail", /It is not a mapping/],
  ["a file that is a list", "- a\n- b", "1", /It is not a mapping/],
  ["a list of no watches", "watches: []", "1: watches", /It is empty/],
];

const VALUES: readonly Refused[] = [
  ["an unknown time zone", "timezone: Europe/Berln", "1: timezone", /did you mean Europe\/Berlin\?/],
  ["an impossible cron", "schedule: 0 0 31 2 *", "1: schedule", /never runs/],
  [
    "a broken cron of a watch",
    `watches:\n- { name: a, apiToken: t, schedule: "61 * * * *" }`,
    "2: watches[0].schedule",
    /minute field "61"/,
  ],
  ["a flood cap of none", "floodCap: 0", "1: floodCap", /whole number from 1 to 10000/],
  ["a sender that is no address", "mail: { from: me }", "1: mail.from", /not an e-mail address/],
  [
    "a recipient that is no address",
    "mail:\n  to:\n    - a@b.example\n    - nobody",
    "4: mail.to[1]",
    /not an e-mail address/,
  ],
  ["recipients in one text", "mail: { to: 'a@b.example, c@d.example' }", "1: mail.to", /write several as a list/],
  [
    "a watch that names an empty list",
    "watches: [{ name: a, apiToken: t, to: [] }]",
    "1: watches[0].to",
    /It is empty/,
  ],
  [
    "a name that is no text",
    "watches: [{ name: 12, apiToken: t }]",
    "1: watches[0].name",
    /number and not as text: put it in quotes/,
  ],
  ["a name with a slash", "watches: [{ name: a/b, apiToken: t }]", "1: watches[0].name", /not a name/],
  ["a watch without a name", "watches: [{ apiToken: t }]", "1: watches[0].name", /It is missing/],
  [
    "two watches of one name",
    "watches:\n  - { name: Ops, apiToken: t }\n  - { name: oPS, apiToken: u }",
    "3: watches[1].name",
    /watch at \/etc\/iw\/config\.yaml:2 has this name/,
  ],
  ["a threshold of nothing", "thresholds: [0h]", "1: thresholds[0]", /neither a duration nor/],
  ["a threshold of the whole lifetime", "thresholds: [24h,\n  100%]", "2: thresholds[1]", /percentages from 1% to 99%/],
  ["a threshold twice", "thresholds: [24h, 1d]", "1: thresholds[1]", /same threshold as 24h/],
  [
    "a threshold that the watch's schedule passes by",
    `thresholds: [72h, 6h]\nwatches: [${OPS}, { name: slow, apiToken: t, schedule: "0 9 * * *" }]`,
    "1: thresholds[1]",
    /pass unseen.* 1d for the watch slow apart/,
  ],
  [
    "a watch's own threshold that its schedule passes by",
    "watches: [{ name: a, apiToken: t, thresholds: [1m] }]",
    "1: watches[0].thresholds[0]",
    /15m for the watch a/,
  ],
  ["no thresholds at all", "thresholds: []", "1: thresholds", /It is empty/],
  ["quiet hours of a whole day", "quietHours: { from: '22:00', to: '22:00' }", "1: quietHours.to", /same as from/],
  [
    "a watch's quiet hours of a whole day",
    "watches: [{ name: a, apiToken: t, quietHours: { from: '1:00', to: '01:00' } }]",
    "1: watches[0].quietHours.to",
    /same as from/,
  ],
  [
    "a time of day that there is not",
    "quietHours: { from: 24:00, to: '07:00' }",
    "1: quietHours.from",
    /not a time of day/,
  ],
  ["quiet hours without an end", "quietHours: { from: '22:00' }", "1: quietHours.to", /It is missing/],
  [
    "quiet hours in an unknown zone",
    "quietHours: { from: '22:00', to: '7:00', timezone: Mars }",
    "1: quietHours.timezone",
    /not a time zone/,
  ],
  ["quiet hours that are neither a mapping nor off", "quietHours: on", "1: quietHours", /neither a mapping nor off/],
];

const CREDENTIALS: readonly Refused[] = [
  ["a watch without a credential", "watches: [{ name: a }]", "1: watches[0]", /no credential\. Set apiTokenFile/],
  [
    "a secret inline and as a file",
    "watches: [{ name: a, apiToken: t, apiTokenFile: /t }]",
    "1: watches[0].apiTokenFile",
    /set twice/,
  ],
  [
    "a key inline and as a file",
    "watches: [{ name: a, email: a@b.example, apiKey: t, apiKeyFile: /t }]",
    "1: watches[0].apiKeyFile",
    /set twice/,
  ],
  [
    "two kinds of credential",
    "watches: [{ name: a, apiToken: t, email: a@b.example, apiKey: k }]",
    "1: watches[0]",
    /Two kinds of credential/,
  ],
  ["an e-mail without its key", "watches: [{ name: a, email: a@b.example }]", "1: watches[0].apiKey", /only half/],
  ["a key without its e-mail", "watches: [{ name: a, apiKey: k }]", "1: watches[0].email", /only half/],
  [
    "a secret's file that is not there",
    "watches: [{ name: a, apiTokenFile: ./none }]",
    "1: watches[0].apiTokenFile",
    /no such file/,
  ],
  [
    "a secret's file that is empty",
    "watches: [{ name: a, apiTokenFile: ./t }]",
    "1: watches[0].apiTokenFile",
    /file is empty/,
    { files: { "/etc/iw/t": "\n" } },
  ],
  [
    "a secret's file of two lines",
    "watches: [{ name: a, apiTokenFile: ./t }]",
    "1: watches[0].apiTokenFile",
    /line break/,
    { files: { "/etc/iw/t": "a\nb" } },
  ],
  [
    "a key of digits that YAML takes for a number",
    "watches: [{ name: a, apiToken: 0123 }]",
    "1: watches[0].apiToken",
    /put it in quotes/,
  ],
];

const ROUTES: readonly Refused[] = [
  ["a route that nobody receives", `${ROUTE}{ match: { watch: ops }, to: [] }`, "3: routes[0].to", /It is empty/],
  ["a route without people", `${ROUTE}{ match: { watch: ops } }`, "3: routes[0].to", /It is missing/],
  ["a route without a match", `${ROUTE}{ to: a@b.example }`, "3: routes[0].match", /It is missing/],
  ["a match that asks for nothing", `${ROUTE}{ match: {}, to: a@b.example }`, "3: routes[0].match", /asks for nothing/],
  [
    "a match of a watch that there is not",
    `${ROUTE}{ match: { watch: opps }, to: a@b.example }`,
    "3: routes[0].match.watch",
    /No watch matches; did you mean ops\? Watches: ops\./,
  ],
  [
    "a negated watch that there is not",
    `${ROUTE}{ match: { watch: ["*", "!dev*"] }, to: a@b.example }`,
    "3: routes[0].match.watch[1]",
    /No watch matches/,
  ],
  [
    "watches that cancel each other out",
    `${ROUTE}{ match: { watch: [ops, "!o*"] }, to: a@b.example }`,
    "3: routes[0].match.watch",
    /No watch is left/,
  ],
  [
    "a type that there is not",
    `${ROUTE}{ match: { type: invite.expired, watch: ops }, to: a@b.example }\n  - { match: { type: [invite.expird] }, to: a@b.example }`,
    "4: routes[1].match.type[0]",
    /did you mean "invite\.expired"\? Types that are mailed: .*watch\.blind/,
  ],
  [
    "a type of which no mail is sent",
    `${ROUTE}{ match: { type: silence.* }, to: a@b.example }`,
    "3: routes[0].match.type",
    /No mail is sent of such events/,
  ],
  [
    "types that cancel each other out",
    `${ROUTE}{ match: { type: [watch.blind, "!watch.*"] }, to: a@b.example }`,
    "3: routes[0].match.type",
    /No type that is mailed is left/,
  ],
  [
    "a condition on invites for events of a watch",
    `${ROUTE}{ match: { type: watch.*, role: x }, to: a@b.example }`,
    "3: routes[0].match",
    /never matches/,
  ],
  ["an empty pattern", `${ROUTE}{ match: { role: "" }, to: a@b.example }`, "3: routes[0].match.role", /It is empty/],
  [
    "an also that is neither",
    `${ROUTE}{ match: { role: x }, to: a@b.example, also: ja }`,
    "3: routes[0].also",
    /neither true nor false/,
  ],
];

const SYNTAX: readonly Refused[] = [
  ["a quote that is never closed", 'timezone: UTC\nschedule: "*/5', "2", /not valid YAML.*quote/],
  ["a bare star", "schedule: */5 * * * *", "1", /YAML|alias/],
  ["an alias without an anchor", "timezone: *zone", "1", /has no anchor/],
  ["a tab", "mail:\n\tto: x", "2", /Tabs are not allowed/],
  ["a second document", "timezone: UTC\n---\ntimezone: UTC", "2", /second document/],
  ["a tag", "timezone: !env TZ", "1", /Tags/],
  ["deep nesting", "[".repeat(20_000), "1", /nested too deeply/],
  ["a huge file", `# ${"x".repeat(1_000_001)}`, "1", /longer than a million/],
];

for (const [what, list] of Object.entries({ KEYS, VALUES, CREDENTIALS, ROUTES, SYNTAX })) {
  describe(what.toLowerCase(), () => {
    for (const [sentence, yaml, key, message, surrounded] of list) {
      test(`${sentence} is refused, with file and line`, () => {
        const problems = problemsOf(yaml, surrounded);

        const expected = `/etc/iw/config.yaml:${key}`;
        const problem = problems.find((candidate) => candidate.key === expected && message.test(candidate.message));
        assert.ok(problem, `expected ${expected} ${message} among ${JSON.stringify(problems, null, 1)}`);
      });
    }
  });
}

test("aliases that unfold to something huge are refused at once", () => {
  const levels = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(", ")}]`);

  const problems = problemsOf(["a0: &a0 [x]", ...levels].join("\n"));

  assert.match(problems[0]?.message ?? "", /aliases unfold to too much/);
});

test("an alias of itself is no way to hang", () => {
  const problems = problemsOf("mail: &m { from: *m }\nwatches: &w [*w]");

  assert.ok(problems.length > 0);
});

test("a variable for what the file also sets is refused, and both are named", () => {
  const { problems } = errorOf(
    `
timezone: UTC
schedule: "*/5 * * * *"
thresholds: [24h]
floodCap: 3
mail: { from: a@b.example, to: a@b.example }`,
    {
      env: {
        TIMEZONE: "UTC",
        SYNC_SCHEDULE: "*/5 * * * *",
        EXPIRY_THRESHOLDS: "24h",
        FLOOD_CAP: "3",
        MAIL_FROM: "a@b.example",
        MAIL_TO: "a@b.example",
      },
    },
  );

  const said = problems.map(({ key, message }) => [
    key,
    /by (\S+) at (\S+)\. Keep one/.exec(message)?.slice(1).join(" "),
  ]);
  assert.deepEqual(Object.fromEntries(said), {
    TIMEZONE: "timezone /etc/iw/config.yaml:2",
    SYNC_SCHEDULE: "schedule /etc/iw/config.yaml:3",
    EXPIRY_THRESHOLDS: "thresholds /etc/iw/config.yaml:4",
    FLOOD_CAP: "floodCap /etc/iw/config.yaml:5",
    MAIL_FROM: "mail.from /etc/iw/config.yaml:6",
    MAIL_TO: "mail.to /etc/iw/config.yaml:6",
  });
});

test("a credential in the environment beside watches in the file is refused, and both are named", () => {
  const { problems } = errorOf(`watches: [${OPS}]`, {
    env: { CLOUDFLARE_API_TOKEN_FILE: "/t", CLOUDFLARE_API_KEY: "k" },
    files: { "/t": "token" },
  });

  assert.deepEqual(
    problems.map(({ key }) => key),
    ["CLOUDFLARE_API_TOKEN_FILE", "CLOUDFLARE_API_KEY"],
  );
  assert.match(problems[0]?.message ?? "", /watches at \/etc\/iw\/config\.yaml:1 .* which watch would it be for\?/);
});

test("a jitter that is longer than a watch's interval is refused", () => {
  const { message } = errorOf(`watches: [{ name: a, apiToken: t, schedule: "* * * * *" }]`, {
    env: { SYNC_JITTER: "1m" },
  });

  assert.match(message, /SYNC_JITTER: found "1m"\. .* the schedule of the watch a, 1m\./);
});

test("problems of the file and of variables are reported at once, those of the file from top to bottom", () => {
  const { problems } = errorOf(
    `
timezone: Mars
watches:
  - name: ops
    to: [nobody]
    apiTokenFile: /none
  - name: OPS
    apiToken: t
    schedule: "0 0 31 2 *"
thresholds: [1s, 100%]
routes:
  - { match: { watch: dev }, to: [] }
foo: bar`,
    { env: { LOG_LEVEL: "loud", HTTP_PORT: "x" } },
  );

  assert.deepEqual(
    problems.map(({ key }) => key.replace("/etc/iw/config.yaml:", "")),
    [
      "HTTP_PORT",
      "LOG_LEVEL",
      "2: timezone",
      "5: watches[0].to[0]",
      "6: watches[0].apiTokenFile",
      "7: watches[1].name",
      "9: watches[1].schedule",
      "10: thresholds[1]",
      "10: thresholds[0]",
      "12: routes[0].to",
      "12: routes[0].match.watch",
      "13: foo",
    ],
  );
});

test("a problem is one line: file, line, path, what was found, what is accepted", () => {
  const { message } = errorOf(`watches:\n  - ${OPS}\n  - name: b\n    apiToken: token-b\n    thresholds: [soon]`);

  assert.equal(
    message.split("\n").at(-1),
    '  /etc/iw/config.yaml:5: watches[1].thresholds[0]: found "soon". It is neither a duration nor a percentage from 1% ' +
      "to 99%. Accepted: a list of durations and of percentages from 1% to 99%. Example: [72h, 12h, 10%]",
  );
});

const SECRET = "hunter22-secret";

const LEAKS: readonly string[] = [
  `watches: [{ name: a, apiToken: "${SECRET} x" }]`,
  `watches: [{ name: a, apiTokn: ${SECRET} }]`,
  `watches: [{ name: a, apiTokenFile: ${SECRET} }]`,
  `watches: [{ name: a, apiToken: [${SECRET}] }]`,
  `watches: [{ name: ${SECRET}/, apiToken: ${SECRET}, to: ${SECRET}, timezone: ${SECRET} }]`,
  `watches: [{ name: a, apiToken: !${SECRET} x }]`,
  `watches: [{ name: a, apiToken: *${SECRET} }]`,
  `watches: [{ name: a, apiToken: "\\q${SECRET}" }]`,
  `watches: [{ name: a, apiToken: @${SECRET} }]`,
  `apiToken: ${SECRET}`,
  `smtpUrl: smtp://u:${SECRET}@mail.example.com`,
  `watches:\n  - name: a\n    apiToken: |${SECRET}\n`,
  `%${SECRET}\n---\n{}`,
  `watches: [{ name: a, apiTokenFile: ./t, email: x }]`,
];

for (const yaml of LEAKS) {
  test(`no secret is told of ${yaml.replace(SECRET, "…").replaceAll("\n", " ")}`, () => {
    const { message } = errorOf(yaml, { files: { "/etc/iw/t": SECRET } });

    assert.ok(!message.includes("hunter22"), message);
  });
}
