/** `silence`: holds the alerts of an invite or of organizations for a while. */
import { randomUUID } from "node:crypto";
import { type Command, Option } from "commander";
import { type Covered, type SilenceRequest, silence } from "../app/people.ts";
import type { Context } from "./context.ts";
import { UsageError } from "./failure.ts";
import { helpText, writeWrapped } from "./lines.ts";
import { findInvites, knowsWatch, nameOf, type PeopleDesk, readBy, readWords, refuse, withPeople } from "./people.ts";
import { printable, quoted } from "./printable.ts";
import { readUntil } from "./until.ts";
import { relative } from "./zone.ts";

type Options = {
  readonly invite?: string;
  readonly org?: string;
  readonly until: string;
  readonly reason: string;
  readonly watch?: string;
  readonly by?: string;
};

const SHORTEST_ORGANIZATION = 2;

const HELP = `
A TIME is RFC 3339 (2026-11-22T10:00:00Z), a day (2026-11-22: its beginning), tomorrow, or how long from now (2h, 3d);
one year ahead at most. Alerts are held, not lost: what is still open when the silence ends is then told.
That a watch is blind is never silenced.

Examples:
  $ invitewatch silence --org "Acme" --until 3d --reason "we are moving to Acme, all is expected"
  $ invitewatch silence --invite 4f5f0c14a2a41d5063dd301b2f829f04 --until tomorrow --reason "waiting for Jo"`;

export function addSilence(program: Command, context: Context): void {
  program
    .command("silence")
    .description("hold the alerts of an invitation, or of organizations, until a time")
    .addOption(new Option("--invite <id>", "the invitation, by its id or the beginning of it").conflicts("org"))
    .option("--org <text>", "part of the organization's name, or its exact id")
    .requiredOption("--until <time>", "when it ends by itself")
    .requiredOption("--reason <text>", "why, for those who wonder later")
    .option("--watch <name>", "only in this watch; in all by default")
    .option("--by <name>", "who asks for it; your login name by default")
    .addHelpText("after", helpText(HELP, context))
    .action(async (options: Options) => {
      if (options.invite === undefined && options.org === undefined) {
        throw new UsageError("Say what to silence: --invite ID or --org TEXT.");
      }
      const asked = { organization: readOrganization(options.org), ...wordsOf(options) };
      await withPeople(context, "write", (question) => {
        const until = readUntil("--until", options.until, question);
        return async (desk) => {
          const scope = await scopeOf(options, desk, context);
          if (scope !== null) await answer({ ...asked, ...scope, until }, desk, context);
        };
      });
    });
}

function wordsOf({ reason, by }: Options): Pick<SilenceRequest, "reason" | "by"> {
  return { reason: readWords("--reason", reason), by: readBy(by) };
}

function readOrganization(text: string | undefined): string | null {
  if (text === undefined) return null;
  const organization = readWords("--org", text);
  if ([...organization].length >= SHORTEST_ORGANIZATION) return organization;
  throw new UsageError(`--org takes at least ${SHORTEST_ORGANIZATION} characters: a shorter one would match too much.`);
}

/** Where it is to hold, or null where that was refused. An invite of one watch is silenced in that one. */
async function scopeOf(
  { invite, watch }: Options,
  { people }: PeopleDesk,
  context: Context,
): Promise<Pick<SilenceRequest, "watch" | "inviteId"> | null> {
  if (invite !== undefined) {
    const [first, ...others] = await findInvites(invite, watch, { people, context });
    if (first === undefined) return null;
    return { watch: others.length > 0 ? null : first.watch, inviteId: first.id };
  }
  if (watch !== undefined) return (await knowsWatch(watch, people, context)) ? { watch, inviteId: null } : null;
  if ((await people.watchNames()).length > 0) return { watch: null, inviteId: null };
  await refuse(["No watch was synced yet, so there is nothing to silence: run `invitewatch sync` first."], context);
  return null;
}

async function answer(request: SilenceRequest, { people: store, zone, now }: PeopleDesk, context: Context) {
  const { silence: added, watches, covered } = await silence(request, { store, clock: context, newId: randomUUID });
  const until = `${zone.show(added.until)} (${zone.name}, ${relative(added.until, now)})`;
  const lines = [
    `Silence ${added.id} holds ${subjectOf(added)} in ${watches.map(printable).join(", ")} until ${until}.`,
    ...coveredLines(covered),
    "Alerts are held, not lost: what is still open when the silence ends is then told.",
    "That a watch is blind is never silenced.",
    `To end it before: invitewatch unsilence ${added.id.slice(0, 8)}`,
  ];
  await writeWrapped(lines, context);
}

/** What a silence holds, for the screen. */
export function subjectOf({ inviteId, organization }: Pick<SilenceRequest, "inviteId" | "organization">): string {
  if (inviteId !== null) return `the alerts of the invitation ${printable(inviteId)}`;
  return `the alerts of organizations with ${quoted(organization ?? "")} in the name, or as id`;
}

function coveredLines({ count, first }: Covered): string[] {
  if (count === 0) return ["No pending invitation matches it now."];
  const noun = count === 1 ? "pending invitation matches" : "pending invitations match";
  const listed = first.map((invite) => `  ${printable(invite.id)}  ${nameOf(invite)}`);
  const more = count > first.length ? [`  (and ${count - first.length} more)`] : [];
  return [`${count} ${noun} it now:`, ...listed, ...more];
}
