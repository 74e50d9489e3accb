import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { mutated, ROOT } from "../../scripts/mutation.ts";
import { MUTATIONS } from "../../scripts/mutation-table.ts";

for (const mutation of MUTATIONS) {
  test(`the mutation still fits the program: ${mutation.name}`, async () => {
    const source = await readFile(join(ROOT, mutation.file), "utf8");

    const broken = mutated(source, mutation);

    assert.ok(broken !== null && broken !== source);
  });
}

test("a mutation whose text is not there, or more than once, fits no more", () => {
  const mutation = { find: "return true;", replace: "return false;" };

  const results = ["", "return true; return true;", "if (a) return true;"].map((source) => mutated(source, mutation));

  assert.deepEqual(results, [null, null, "if (a) return false;"]);
});

test("what takes the text's place is taken as it is", () => {
  assert.equal(mutated("a b", { find: "b", replace: "$&$`" }), "a $&$`");
});
