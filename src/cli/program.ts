/** The command line: which commands there are, and what becomes of their errors. */
import { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { addAck } from "./ack.ts";
import { addCheck } from "./check.ts";
import { type Context, type ExitCode, type Surroundings, write } from "./context.ts";
import { addExplain } from "./explain.ts";
import { failureOf } from "./failure.ts";
import { addGaps } from "./gaps.ts";
import { addHealthcheck } from "./healthcheck.ts";
import { addHistory } from "./history.ts";
import { addInvites } from "./invites.ts";
import { helpText } from "./lines.ts";
import { addMail } from "./mail.ts";
import { addMigrate } from "./migrate.ts";
import { addNotifications } from "./notifications.ts";
import { addRoutes } from "./routes.ts";
import { addRun } from "./run.ts";
import { addSilence } from "./silence.ts";
import { addSilences } from "./silences.ts";
import { addStatus } from "./status.ts";
import { addSync } from "./sync.ts";
import { addSyncs } from "./syncs.ts";
import { addUnsilence } from "./unsilence.ts";
import { addVerify } from "./verify.ts";

const HELP = `
Configured by environment variables, such as DATABASE_URL, and for several watches by the YAML file that
INVITEWATCH_CONFIG names. Data goes to stdout, everything else to stderr.

Exit codes: 0 done; 1 the work failed or fell short; 2 wrong usage or configuration.

Examples:
  $ invitewatch status
  $ invitewatch history --since 7d --type 'invite.*'
  $ invitewatch invites --expiring-within 3d --json`;

/**
 * Runs the command that the arguments name; the answer is the exit code. Never rejects.
 *
 * @param args without the program's own name
 */
export async function runProgram(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram({
    ...surroundings,
    setExitCode: (code) => {
      exitCode = code;
    },
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    const failure = await failureOf(error, ["invitewatch", ...namesIn(program, args)].join(" "), surroundings);
    if (failure.message !== null) await write(surroundings.stderr, `${failure.message}\n`).catch(() => {});
    return failure.exitCode;
  }
}

/** The command that the arguments name, and its subcommand. */
function namesIn(program: Command, args: readonly string[]): readonly string[] {
  const named = program.commands.find((command) => command.name() === args[0]);
  return named === undefined ? [] : [named.name(), ...namesIn(named, args.slice(1))];
}

function createProgram(context: Context): Command {
  const { stdout, stderr, columns } = context;
  const program = new Command("invitewatch")
    .description(packageJson.description)
    .version(packageJson.version, "--version")
    .helpOption("-h, --help", "show help")
    .exitOverride()
    // What stands behind a subcommand is its own, also where the command above it has an option of that name.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => void write(stdout, text).catch(() => {}),
      writeErr: (text) => void write(stderr, text).catch(() => {}),
      // Errors are told once, where the program ends.
      outputError: () => {},
      getOutHelpWidth: () => columns,
      getErrHelpWidth: () => columns,
    })
    .addHelpText("after", helpText(HELP, context));
  addRun(program, context);
  addSync(program, context);
  addCheck(program, context);
  addStatus(program, context);
  addInvites(program, context);
  addHistory(program, context);
  addSyncs(program, context);
  addGaps(program, context);
  addNotifications(program, context);
  addExplain(program, context);
  addAck(program, context);
  addSilence(program, context);
  addSilences(program, context);
  addUnsilence(program, context);
  addVerify(program, context);
  addMail(program, context);
  addRoutes(program, context);
  addMigrate(program, context);
  addHealthcheck(program, context);
  return program;
}
