import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { createRedactor } from "../src/domain/redact.ts";
import { createLogger, type Logger } from "../src/log.ts";

const SECRET = 'pa"ss+wörd/7Q==';
const SPELLINGS = [
  SECRET,
  JSON.stringify(SECRET).slice(1, -1),
  Buffer.from(SECRET).toString("base64"),
  Buffer.from(SECRET).toString("base64url"),
  encodeURIComponent(SECRET),
];

type Options = { readonly level?: string; readonly format?: "json" | "pretty" };

function capture({ level = "info", format = "json" }: Options = {}): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const redact = createRedactor([SECRET]);
  const log = createLogger({ level, format, redact, destination: { write: (line) => lines.push(line) } });
  return { log, lines };
}

test("a line is JSON with its time, level as a word, event, fields and message", () => {
  const { log, lines } = capture();

  log.info({ event: "sync.completed", invites: 3, at: new Date(0) }, "sync completed");

  const { time, ...line } = JSON.parse(lines.join(""));
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(line, {
    level: "info",
    event: "sync.completed",
    invites: 3,
    at: "1970-01-01T00:00:00.000Z",
    msg: "sync completed",
  });
});

test("a child's lines carry its fields, and those of its parents", () => {
  const { log, lines } = capture();

  log.child({ syncId: "s1" }).child({ seq: 7 }).warn({ event: "mail.delayed", seq: 8 }, "mail delayed");

  const { syncId, seq, level } = JSON.parse(lines.join(""));
  assert.deepEqual([syncId, seq, level], ["s1", 8, "warn"]);
});

test("lines below the level are left out", () => {
  const { log, lines } = capture({ level: "warn" });

  log.debug({ event: "a.a" }, "a");
  log.info({ event: "b.b" }, "b");
  log.warn({ event: "c.c" }, "c");
  log.error({ event: "d.d" }, "d");

  assert.deepEqual(
    lines.map((line) => JSON.parse(line).level),
    ["warn", "error"],
  );
});

test("a silent log says nothing", () => {
  const { log, lines } = capture({ level: "silent" });

  log.error({ event: "a.a" }, "a");

  assert.deepEqual(lines, []);
});

for (const format of ["json", "pretty"] as const) {
  for (const [index, spelling] of SPELLINGS.entries()) {
    test(`a secret in spelling ${index} leaks from no part of a ${format} line`, () => {
      const { log, lines } = capture({ format, level: "debug" });
      const cause = Object.assign(new Error(`cause ${spelling}`), { code: spelling, options: { password: spelling } });
      const error = new AggregateError([new Error(spelling)], `outer ${spelling}`, { cause });

      log.child({ bound: spelling }).error(
        {
          event: "x.y",
          plain: `a ${spelling} b`,
          nested: { list: [{ deep: spelling }], [spelling]: 1 },
          set: new Set([spelling]),
          map: new Map([["k", spelling]]),
          buffer: Buffer.from(spelling),
          url: URL.parse(`https://u:${encodeURIComponent(spelling)}@example.com`),
          err: error,
          thrown: { cause },
        },
        `message ${spelling}`,
      );

      const text = lines.join("");
      const leaks = [spelling, JSON.stringify(spelling).slice(1, -1), SECRET].filter((form) => text.includes(form));
      assert.deepEqual(leaks, []);
      assert.match(text, /\[redacted\]/);
    });
  }
}

test("an error is told by its type, message, code and causes, and nothing else of it", () => {
  const { log, lines } = capture();
  const cause = Object.assign(new TypeError("refused"), { code: "ECONNREFUSED", options: { headers: {} } });

  log.error({ event: "sync.failed", err: new Error("sync failed", { cause }) }, "sync failed");

  assert.deepEqual(JSON.parse(lines.join("")).err, {
    type: "Error",
    message: "sync failed",
    cause: { type: "TypeError", message: "refused", code: "ECONNREFUSED" },
  });
});

test("stack traces are logged at level debug only", () => {
  const atInfo = capture({ level: "info" });
  const atDebug = capture({ level: "debug" });

  for (const { log } of [atInfo, atDebug]) log.error({ event: "x.y", err: new Error("bad\n    at heart") }, "bad");

  assert.equal(JSON.parse(atInfo.lines.join("")).err.stack, undefined);
  assert.ok(JSON.parse(atDebug.lines.join("")).err.stack.some((line: string) => line.includes("log.test.ts")));
});

test("cycles, depths, bytes and big numbers are logged in words", () => {
  const { log, lines } = capture();
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const error = new Error("loop");
  error.cause = error;

  log.info({ event: "x.y", circle, error, bytes: Buffer.alloc(3), big: 1n, same: [circle, circle] }, "odd");

  const line = JSON.parse(lines.join(""));
  assert.deepEqual(line.circle, { self: "[circular]" });
  assert.equal(line.error.cause, "[circular]");
  assert.deepEqual([line.bytes, line.big], ["[3 bytes]", "1"]);
  assert.deepEqual(line.same, [{ self: "[circular]" }, { self: "[circular]" }]);
});

const HOSTILE = 'Acme\r\n{"level":"fatal"}\u001b[31m red \u009b31m \u202e evil \u2028 %s %d \u0000\u007f';

test("hostile text stays in its field of a JSON line, which a terminal can show", () => {
  const { log, lines } = capture();

  log.info({ event: "x.y", name: HOSTILE }, HOSTILE);

  const text = lines.join("");
  assert.equal(text.trimEnd().split(/[\r\n\u2028]/).length, 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  assert.doesNotMatch(text.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
  assert.deepEqual([JSON.parse(text).name, JSON.parse(text).msg], [HOSTILE, HOSTILE]);
});

test("no stack trace is logged above debug, whatever was thrown", () => {
  const error = new Error("it broke", { cause: new Error("for a reason") });
  const copy = { ...error, message: error.message, stack: error.stack, queue: "deliver" };
  const thrown = [error, copy, { err: copy }, [copy], error.stack, new Error(`said:\n${error.stack}`), { cause: copy }];
  const { log, lines } = capture({ level: "info" });

  for (const err of thrown) log.warn({ event: "queue.failed", err }, "the queue failed");

  assert.equal(lines.length, thrown.length);
  for (const line of lines) {
    assert.doesNotMatch(line, /\bat \S.*:\d+:\d+|"stack"/);
    assert.match(line, /it broke/);
  }
});

test("at debug a copy of an error has its stack trace too", () => {
  const error = new Error("it broke");
  const { log, lines } = capture({ level: "debug" });

  log.warn({ event: "queue.failed", err: { message: error.message, stack: error.stack } }, "the queue failed");

  assert.match(lines.join(""), /"stack":\["at /);
});

test("hostile text stays in its pretty line, spelt out", () => {
  const { log, lines } = capture({ format: "pretty" });

  log.info(
    { event: "x.y", organization: HOSTILE, [HOSTILE]: HOSTILE, list: [HOSTILE], err: new Error(HOSTILE) },
    HOSTILE,
  );

  const text = lines.join("").trimEnd();
  assert.match(text, /INFO: Acme\\u\{d\}\\u\{a\}/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
});

test("a text of any length is cut", () => {
  const { log, lines } = capture();

  log.info({ event: "x.y", err: new Error("x".repeat(1_000_000)) }, "x");

  assert.equal(JSON.parse(lines.join("")).err.message.length, 20_001);
});

test("a pretty line has the level, the message and the fields", () => {
  const { log, lines } = capture({ format: "pretty" });

  log.warn({ event: "sync.failed", pages: 2 }, "sync failed");

  assert.match(lines.join(""), /^\[.*\] WARN: sync failed \{"event":"sync\.failed","pages":2\}\n$/);
});

for (const format of ["json", "pretty"] as const) {
  test(`a ${format} line written just before the exit is on stderr, and stdout is left alone`, () => {
    const program = `
      import { createLogger } from ${JSON.stringify(new URL("../src/log.ts", import.meta.url).href)};
      const log = createLogger({ level: "info", format: ${JSON.stringify(format)}, redact: (text) => text });
      for (let i = 0; i < 2000; i++) log.info({ event: "x.y", i }, "line");
      process.exit(0);`;

    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });

    assert.equal(stdout, "");
    assert.equal(stderr.trimEnd().split("\n").length, 2000);
  });
}
