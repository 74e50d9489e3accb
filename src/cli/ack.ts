/** `ack`: says that an invitation is taken care of, which stops its reminders. */
import type { Command } from "commander";
import { acknowledge } from "../app/people.ts";
import type { Invite } from "../domain/invite.ts";
import type { Context } from "./context.ts";
import { helpText, writeWrapped } from "./lines.ts";
import { findInvites, nameOf, type PeopleDesk, readBy, readWords, refuse, withPeople } from "./people.ts";
import { printable } from "./printable.ts";

type Options = { readonly note?: string; readonly by?: string; readonly watch?: string };

const HELP = `
INVITE is an id or its beginning, 6 characters at least. Where two watches have the same invitation, it is acknowledged
in both unless --watch names one. How the invitation ends is still mailed.

Examples:
  $ invitewatch ack 4f5f0c14a2a41d5063dd301b2f829f04
  $ invitewatch ack 4f5f0c --note "Jo accepts it on Monday"`;

export function addAck(program: Command, context: Context): void {
  program
    .command("ack")
    .argument("<invite>", "id of the invitation, or its beginning")
    .description("say that an invitation is taken care of: no more reminders of it")
    .option("--note <text>", "what to remember of it, kept in the history")
    .option("--by <name>", "who says so; your login name by default")
    .option("--watch <name>", "only in this watch")
    .addHelpText("after", helpText(HELP, context))
    .action(async (text: string, options: Options) => {
      const by = readBy(options.by);
      const note = options.note === undefined ? null : readWords("--note", options.note);
      await withPeople(context, "write", () => async (desk) => {
        const invites = await findInvites(text, options.watch, { people: desk.people, context });
        for (const invite of invites) await answer(invite, { by, note }, { desk, context });
      });
    });
}

async function answer(
  about: Invite,
  words: { readonly by: string; readonly note: string | null },
  { desk, context }: { readonly desk: PeopleDesk; readonly context: Context },
): Promise<void> {
  const { people: store, zone } = desk;
  const { kind, invite } = await acknowledge(about, words, { store, clock: context });
  const which = `The invitation ${printable(invite.id)} of ${nameOf(invite)} (watch ${printable(invite.watch)})`;
  switch (kind) {
    case "over": {
      const how = invite.status === "pending" ? "past its end" : `over: it is ${printable(invite.status)}`;
      return refuse([`${which} is ${how}. There is nothing to acknowledge; no reminders of it are sent.`], context);
    }
    case "already": {
      const since = invite.acknowledgedAt === null ? "" : ` since ${zone.show(invite.acknowledgedAt)} (${zone.name})`;
      return writeWrapped([`${which} is acknowledged already${since}.`], context);
    }
    case "acknowledged":
      return writeWrapped(
        [
          `${which} is acknowledged by ${printable(words.by)}.`,
          "No more reminders of it are sent; how it ends is still mailed.",
        ],
        context,
      );
  }
}
