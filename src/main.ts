/** Arguments in, exit code out. */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

const LEAVE_AFTER_MS = 500;

// What was compiled once is not compiled at every start, which is most of what a short command does. Hence the imports
// below, which are not static. Where the folder cannot be written, commands are slower and nothing else.
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/invitewatch", import.meta.url)));
const { surroundingsOf } = await import("./cli/context.ts");
const { runProgram } = await import("./cli/program.ts");

// Whoever writes is told of the failure by the write itself; without a listener the process would end on the spot.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

process.exitCode = await runProgram(process.argv.slice(2), surroundingsOf(process));
// What is still open, such as a connection that nobody closes, does not keep the process once its work is done. A name that
// is being looked up would: process.exit() waits for that, and stands still meanwhile.
setTimeout(() => {
  if (!process.getActiveResourcesInfo().includes("GetAddrInfoReqWrap")) process.exit();
}, LEAVE_AFTER_MS).unref();
