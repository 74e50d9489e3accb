/**
 * The fault suite: `node test/faults/main.ts [--long] [--every K] [--only POINT] [--fault NAME] [--seed S]
 * [--kill-only] [--database-only] [--weather-only]`.
 *
 * Progress on stderr, what passed on stdout; exit code 1 where anything did not.
 */
import { parseArgs } from "node:util";
import { parsePoint } from "./crossings.ts";
import { runSuite } from "./suite.ts";

const { values } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    every: { type: "string", default: "1" },
    only: { type: "string" },
    seed: { type: "string" },
    fault: { type: "string" },
    "kill-only": { type: "boolean", default: false },
    "database-only": { type: "boolean", default: false },
    "weather-only": { type: "boolean", default: false },
  },
});
const PARTS = ["kill", "database", "weather"] as const;
const named = PARTS.filter((part) => values[`${part}-only`]);
const only = values.only === undefined ? null : parsePoint(values.only);
if (values.only !== undefined && only === null) {
  throw new Error(`--only takes a point such as 17, setup:17, mail:2 or answer:2+3, not ${values.only}`);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

const passed = await runSuite({
  form: values.long ? "long" : "short",
  every: Number(values.every),
  only,
  seed: values.seed ?? null,
  fault: values.fault ?? null,
  parts: named.length > 0 ? named : PARTS,
  progress: (text) => void process.stderr.write(`${text}\n`),
  report: (text) => void process.stdout.write(`${text}\n`),
});
process.exitCode = passed ? 0 : 1;
