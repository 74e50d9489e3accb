/** What all test files of a run share: the keeper of the test server, which starts it when one is asked for. */
import { type Keeper, startKeeper } from "./postgres.ts";

let keeper: Keeper | undefined;

export async function globalSetup(): Promise<void> {
  keeper = await startKeeper();
  process.env.TEST_POSTGRES_KEEPER = keeper.socketPath;
}

export async function globalTeardown(): Promise<void> {
  await keeper?.stop();
}
