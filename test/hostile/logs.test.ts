import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger, type LoggerOptions } from "../../src/log.ts";
import { corpus, OBEYED } from "./corpus.ts";

function logged(format: LoggerOptions["format"], fields: Readonly<Record<string, unknown>>): string {
  let lines = "";
  const destination = { write: (line: string) => (lines += line) };
  const log = createLogger({ level: "info", format, redact: (text) => text, destination });
  log.child({ organization: fields.organization }).warn({ event: "sync.failed", ...fields }, "sync failed");
  return Buffer.from(lines).toString();
}

for (const { name, text } of corpus) {
  test(`a stranger's text stays in its field of a log line (${name})`, () => {
    const fields = { organization: text, nested: { roles: [text] }, err: new Error(text) };

    const json = logged("json", fields);
    const pretty = logged("pretty", fields);

    const { level, event, msg, organization, nested, err } = JSON.parse(json);
    assert.deepEqual([level, event, msg], ["warn", "sync.failed", "sync failed"]);
    assert.deepEqual([organization, nested.roles, err.message], [text, [text], text]);
    for (const lines of [json, pretty]) {
      assert.equal(lines.indexOf("\n"), lines.length - 1, "one line");
      assert.doesNotMatch(lines.slice(0, -1), /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
    }
  });
}

test("a field that is called like a part of every object is a field like others", () => {
  const json = logged("json", JSON.parse('{"__proto__": "x", "constructor": "y", "toString": "z"}'));

  const line = JSON.parse(json);
  assert.deepEqual([line.constructor, line.toString], ["y", "z"]);
  assert.doesNotMatch(json.trimEnd(), OBEYED);
});
