/** `notifications discard`: gives mails up for good that wait or could not be delivered. */
import type { Command } from "commander";
import { discardMails } from "../app/mail-decisions.ts";
import { type Context, write } from "./context.ts";
import { helpText } from "./lines.ts";
import { findMails, mailName, refuseMails } from "./mails.ts";
import { readBy, readWords, withPeople } from "./people.ts";

type Options = { readonly reason: string; readonly by?: string };

const HELP = `
ID is a mail's id or its beginning, 6 characters at least, or its Message-ID; see \`invitewatch notifications\`. A
discarded mail is never sent; who discarded it and why stays in the history.

Examples:
  $ invitewatch notifications discard 7c9e6679-7425-40de-944b-e07fc1f90ae7 --reason "Jo has left"
  $ invitewatch notifications discard 7c9e66 16fd27 --reason "told by phone"`;

export function addNotificationsDiscard(notifications: Command, context: Context): void {
  notifications
    .command("discard")
    .argument("<id...>", "ids of the mails, or their beginnings")
    .description("drop mails that wait or were given up")
    .requiredOption("--reason <text>", "why, for those who wonder later")
    .option("--by <name>", "who asks for it; your login name by default")
    .addHelpText("after", helpText(HELP, context))
    .action(async (texts: readonly string[], options: Options) => {
      const words = { by: readBy(options.by), reason: readWords("--reason", options.reason) };
      await withPeople(context, "write", () => async (desk) => {
        const ids = await findMails(texts, desk, context);
        if (ids.length === 0) return;
        const decided = await discardMails(ids, words, { store: desk.people, clock: context });
        if (decided.refused.length > 0) return refuseMails(decided, desk.zone, context);
        const lines = decided.mails.map((mail) => `${mailName(mail)} is discarded and will not be sent.`);
        await write(context.stdout, `${lines.join("\n")}\n`);
      });
    });
}
