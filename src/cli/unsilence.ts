/** `unsilence`: ends a silence before its time. */
import type { Command } from "commander";
import { unsilence } from "../app/people.ts";
import type { Silence } from "../domain/silence.ts";
import type { Context } from "./context.ts";
import { helpText, writeWrapped } from "./lines.ts";
import { type PeopleDesk, readBy, refuse, withPeople } from "./people.ts";
import { printable, quoted } from "./printable.ts";
import { subjectOf } from "./silence.ts";

const LISTED_MATCHES = 10;

const HELP = `
ID is a silence's id or its beginning, see \`invitewatch silences\`. What the silence held and is still open is told now,
unless another silence covers it.

Examples:
  $ invitewatch unsilence 7c9e6679-7425-40de-944b-e07fc1f90ae7
  $ invitewatch unsilence 7c9e66`;

export function addUnsilence(program: Command, context: Context): void {
  program
    .command("unsilence")
    .argument("<id>", "id of the silence, or its beginning")
    .description("end a silence before its time, and tell what it held")
    .option("--by <name>", "who ends it; your login name by default")
    .addHelpText("after", helpText(HELP, context))
    .action(async (text: string, options: { readonly by?: string }) => {
      const by = readBy(options.by);
      await withPeople(context, "deliver", () => async (desk) => {
        const silence = await findSilence(text, desk, context);
        if (silence !== null) await answer(silence, by, { desk, context });
      });
    });
}

/** The silence that the text means; where it means none or several, that is told and the exit code is 1. */
async function findSilence(text: string, { people, zone }: PeopleDesk, context: Context): Promise<Silence | null> {
  const found = text === "" ? [] : await people.silencesNamed(text, LISTED_MATCHES + 1);
  const [first, ...others] = found;
  if (first === undefined) {
    await refuse([`There is no silence ${quoted(text)}; see \`invitewatch silences --all\` for the ids.`], context);
    return null;
  }
  if (others.length === 0) return first;
  const listed = found.slice(0, LISTED_MATCHES).map(({ id, until, reason }) => {
    return `  ${id}  until ${zone.show(until)}: ${printable(reason)}`;
  });
  const more = found.length > LISTED_MATCHES ? ["  …"] : [];
  await refuse([`Several silences begin with ${quoted(text)}; give more of the id:`, ...listed, ...more], context);
  return null;
}

async function answer(
  named: Silence,
  by: string,
  { desk, context }: { readonly desk: PeopleDesk; readonly context: Context },
): Promise<void> {
  const { people: store, zone } = desk;
  const { silence, released } = await unsilence(named, by, { store, clock: context });
  if (released === null) {
    const { endedAt, until, id } = silence;
    const how = endedAt === null ? `is over since ${zone.show(until)}` : `was ended already, at ${zone.show(endedAt)}`;
    return writeWrapped([`Silence ${id} ${how} (${zone.name}).`], context);
  }
  const mails = released === 1 ? "1 mail that a silence held is" : `${released} mails that silences held are`;
  const held = released === 0 ? "No mail was held." : `${mails} decided upon anew now.`;
  await writeWrapped([`Silence ${silence.id} is ended; it held ${subjectOf(silence)}.`, held], context);
}
