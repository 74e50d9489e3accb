import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { fileSchema } from "../../src/config/file-keys.ts";
import { knownKeys } from "../../src/config/file-tree.ts";
import { configJsonSchema } from "../../src/config/json-schema.ts";

const validate = new Ajv({ strictTypes: false }).compile(configJsonSchema());

test("the JSON Schema takes the example file", () => {
  const example = parse(readFileSync(new URL("../../config.example.yaml", import.meta.url), "utf8"));

  assert.equal(validate(example), true, JSON.stringify(validate.errors));
});

for (const [sentence, yaml] of [
  ["an unknown key", "shedule: x"],
  ["a wrong type", "timezone: [UTC]"],
  ["a watch without a name", "watches: [{ apiToken: t }]"],
  ["a route that nobody receives", "routes: [{ match: { role: x }, to: [] }]"],
  ["a flood cap of none", "floodCap: 0"],
] as const) {
  test(`the JSON Schema refuses ${sentence}`, () => {
    assert.equal(validate(parse(yaml)), false);
  });
}

test("every key is described, with an example", () => {
  const keys = knownKeys(fileSchema);

  assert.deepEqual(
    keys.filter(({ about }) => about.description === "" || about.accepts === "" || about.example === ""),
    [],
  );
  for (const path of ["quietHours.from", "mail.to", "watches[].apiTokenFile", "routes[].match.type", "routes[].also"]) {
    assert.ok(
      keys.some((key) => key.path === path),
      path,
    );
  }
});
