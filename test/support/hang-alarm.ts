/** For each test file (`--import`): a file whose tests have ended, but whose process does not, fails and says what is still open. */
import { after } from "node:test";

const PATIENCE_MS = 30_000;

// The test runner's own process loads this, too: only the files it starts have tests.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  after(() => {
    const alarm = setTimeout(() => {
      const open = process.getActiveResourcesInfo().join(", ");
      console.error(`${process.argv[1]}: its tests have ended, but it goes on; still open: ${open}`);
      process.exit(1);
    }, PATIENCE_MS);
    alarm.unref();
  });
}
