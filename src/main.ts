/** Arguments in, exit code out. */
import { surroundingsOf } from "./cli/context.ts";
import { runProgram } from "./cli/program.ts";

// Whoever writes is told of the failure by the write itself; without a listener the process would end on the spot.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

process.exitCode = await runProgram(process.argv.slice(2), surroundingsOf(process));
