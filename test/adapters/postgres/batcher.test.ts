import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createBatcher } from "../../../src/adapters/postgres/batcher.ts";

const double = async (numbers: readonly number[]) => numbers.map((number) => 2 * number);
const never = async (): Promise<number> => {
  throw new Error("nothing has to be done alone");
};

describe("what many ask for at once", () => {
  test("is one piece of work, and each gets its own result", async () => {
    const batches: number[] = [];
    const ask = createBatcher<number, number>((numbers) => {
      batches.push(numbers.length);
      return double(numbers);
    }, never);

    const results = await Promise.all([1, 2, 3].map(ask));

    assert.deepEqual(results, [2, 4, 6]);
    assert.deepEqual(batches, [3]);
  });

  test("waits while another piece of work is under way", async () => {
    const first = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const batches: (readonly number[])[] = [];
    const ask = createBatcher<number, number>(async (numbers) => {
      batches.push(numbers);
      begun.resolve();
      await first.promise;
      return double(numbers);
    }, never);

    const early = ask(1);
    await begun.promise;
    const late = [2, 3].map(ask);
    first.resolve();

    assert.deepEqual(await Promise.all([early, ...late]), [2, 4, 6]);
    assert.deepEqual(batches, [[1], [2, 3]]);
  });

  test("is done alone where it was left out", async () => {
    const ask = createBatcher<number, number>(
      async (numbers) => numbers.map((number) => (number === 2 ? undefined : 2 * number)),
      async (number) => -number,
    );

    const results = await Promise.all([1, 2, 3].map(ask));

    assert.deepEqual(results, [2, -2, 6]);
  });

  test("is done alone where it failed together, so that only its own failure is anybody's", async () => {
    const ask = createBatcher<number, number>(
      async () => {
        throw new Error("one of them cannot be done");
      },
      async (number) => {
        if (number === 2) throw new Error("this one");
        return 2 * number;
      },
    );

    const results = await Promise.allSettled([1, 2, 3].map(ask));

    assert.deepEqual(
      results.map((result) => (result.status === "fulfilled" ? result.value : result.reason.message)),
      [2, "this one", 6],
    );
  });

  test("fails for all where nothing may be done twice", async () => {
    const ask = createBatcher<number, number>(
      async () => {
        throw new Error("the connection was lost");
      },
      async (_number, failure) => {
        throw failure;
      },
    );

    const results = await Promise.allSettled([1, 2].map(ask));

    assert.deepEqual(
      results.map((result) => result.status === "rejected" && result.reason.message),
      ["the connection was lost", "the connection was lost"],
    );
  });

  test("waits for others to join it, where another piece of work was just done", async () => {
    const batches: (readonly number[])[] = [];
    const ask = createBatcher<number, number>(
      (numbers) => {
        batches.push(numbers);
        return double(numbers);
      },
      never,
      20,
    );

    await ask(1);
    const late = ask(2);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([late, ask(3)]);

    assert.deepEqual(batches, [[1], [2, 3]]);
  });
});
