/** What the commands share by which people act on alerts or ask about one: who they are, and which invite they mean. */
import { userInfo } from "node:os";
import type { InviteFinder } from "../app/queries.ts";
import type { Invite } from "../domain/invite.ts";
import { loadConfiguration } from "./configuration.ts";
import { type Context, write } from "./context.ts";
import { UsageError } from "./failure.ts";
import type { People, Purpose } from "./open-people.ts";
import { printable, quoted } from "./printable.ts";
import type { Question } from "./question.ts";
import { createZone } from "./zone.ts";

export type PeopleDesk = Question & { readonly people: People };

/** How many matches of an ambiguous id are listed. */
const LISTED_MATCHES = 10;
const LONGEST_WORDS = 500;

/**
 * Does the work with the open database, and closes it.
 *
 * @param ask refuses wrong usage while no database is opened; what it returns does the work
 * @throws ConfigError
 * @throws UsageError
 * @throws DatabaseError also where the database is not set up for this version
 */
export async function withPeople(
  context: Context,
  purpose: Purpose,
  ask: (question: Question) => (desk: PeopleDesk) => Promise<void>,
): Promise<void> {
  const config = await loadConfiguration(context);
  const question = { config, zone: createZone(config.timezone), now: context.now() };
  const work = ask(question);
  // Loaded here so that `--help` and a wrong configuration are answered at once.
  const [{ openPeople }, { databaseToAsk }] = await Promise.all([
    import("./open-people.ts"),
    import("./demo-database.ts"),
  ]);
  const { people, close } = await openPeople(await databaseToAsk(config, context), purpose);
  try {
    await work({ ...question, people });
  } finally {
    await close();
  }
}

/** What somebody wrote, without the space around it. @throws UsageError where nothing is left, or it is too long */
export function readWords(option: string, text: string): string {
  const words = text.trim();
  if (words === "") throw new UsageError(`${option} is empty.`);
  if (words.length > LONGEST_WORDS) throw new UsageError(`${option} is longer than ${LONGEST_WORDS} characters.`);
  return words;
}

/** Who acts: as said, or else the user's login name. @throws UsageError where neither is known */
export function readBy(by: string | undefined): string {
  if (by !== undefined) return readWords("--by", by);
  try {
    return userInfo().username;
  } catch {
    throw new UsageError("This user has no login name; say who you are with --by NAME.");
  }
}

/**
 * The invites that the text means: one, or the same id in several watches. Where it means none or several, that is told
 * on stderr, the exit code is 1, and the answer is empty.
 */
export async function findInvites(
  text: string,
  watch: string | undefined,
  { people, context }: { readonly people: People; readonly context: Context },
): Promise<readonly Invite[]> {
  if (watch !== undefined && !(await knowsWatch(watch, people, context))) return [];
  return findInvitesIn(watch === undefined ? null : [watch], text, { people, context });
}

/** The same in watches that are known; null for all. */
export async function findInvitesIn(
  watches: readonly string[] | null,
  text: string,
  { people, context }: { readonly people: InviteFinder; readonly context: Context },
): Promise<readonly Invite[]> {
  const found = await people.invitesNamed(text, watches, LISTED_MATCHES + 1);
  if (found.length > 0 && found.every(({ id }) => id === found[0]?.id)) return found;

  const lines = found.length === 0 ? [noInvite(text, watches)] : severalInvites(text, found);
  await refuse(lines, context);
  return [];
}

/** Whether there is a watch of the name; if not, that is told on stderr and the exit code is 1. */
export async function knowsWatch(name: string, people: People, context: Context): Promise<boolean> {
  const known = await people.watchNames();
  if (known.includes(name)) return true;
  const others = known.length === 0 ? "no watch was synced yet" : `known: ${known.map(printable).join(", ")}`;
  await refuse([`There is no watch named ${printable(name)}; ${others}.`], context);
  return false;
}

/** Says on stderr why nothing was done; the exit code is 1. */
export async function refuse(lines: readonly string[], { stderr, setExitCode }: Context): Promise<void> {
  setExitCode(1);
  await write(stderr, `${lines.join("\n")}\n`);
}

function noInvite(text: string, watches: readonly string[] | null): string {
  const named = watches?.map(printable).join(", ") ?? "";
  const where = named === "" ? "" : ` in the watch ${named}`;
  const short = text.length < 6 ? " The beginning of an id takes at least 6 characters." : "";
  return `There is no invitation ${quoted(text)}${where}.${short} See \`invitewatch invites --all\` for the ids.`;
}

function severalInvites(text: string, found: readonly Invite[]): string[] {
  const listed = found.slice(0, LISTED_MATCHES);
  return [
    `Several invitations begin with ${quoted(text)}; give more of the id:`,
    ...listed.map((invite) => `  ${printable(invite.id)}  ${nameOf(invite)} (${printable(invite.status)})`),
    ...(found.length > listed.length ? ["  …"] : []),
  ];
}

/** The organization's name for the screen. */
export function nameOf({ organizationName }: Pick<Invite, "organizationName">): string {
  return organizationName === null ? "an organization without a name" : quoted(organizationName);
}
