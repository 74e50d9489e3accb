import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createTurns } from "../../../src/adapters/smtp/turns.ts";

/** Work that ends when it is told to, and a list of what has begun. */
function openWork(inTurn: <T>(work: () => Promise<T>) => Promise<T>) {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const ask = (number: number) =>
    inTurn(async () => {
      begun.push(number);
      await new Promise<void>((resolve) => {
        ends[number] = resolve;
      });
      return number;
    });
  const end = async (...numbers: number[]) => {
    for (const number of numbers) ends[number]?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, ask, end };
}

describe("work in turns", () => {
  test("begins at once where there is room, and has its own result", async () => {
    const { begun, ask, end } = openWork(createTurns(4, 2));

    const asked = [0, 1, 2].map(ask);
    await end();

    assert.deepEqual(begun, [0, 1, 2]);
    await end(0, 1, 2);
    assert.deepEqual(await Promise.all(asked), [0, 1, 2]);
  });

  test("waits until several can begin together where several wait, in their order", async () => {
    const { begun, ask, end } = openWork(createTurns(3, 2));
    const asked = [0, 1, 2, 3, 4, 5].map(ask);
    await end();

    await end(0);
    assert.deepEqual(begun, [0, 1, 2]);
    await end(1);
    assert.deepEqual(begun, [0, 1, 2, 3, 4]);
    await end(2);
    assert.deepEqual(begun, [0, 1, 2, 3, 4, 5]);

    await end(3, 4, 5);
    await Promise.all(asked);
  });

  test("makes room also where it fails", async () => {
    const inTurn = createTurns(1, 1);

    const failed = inTurn(() => Promise.reject(new Error("no")));
    const next = inTurn(async () => "done");

    await assert.rejects(failed, /^Error: no$/);
    assert.equal(await next, "done");
  });
});
