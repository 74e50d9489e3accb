/** `notifications retry`: has mails tried again now that wait or were given up. */
import type { Command } from "commander";
import { isHeld, retryAllDead, retryMails } from "../app/mail-decisions.ts";
import type { ListedMail } from "../app/queries.ts";
import { type Context, write } from "./context.ts";
import { UsageError } from "./failure.ts";
import { helpText } from "./lines.ts";
import { findMails, mailName, refuseMails } from "./mails.ts";
import { type PeopleDesk, readBy, withPeople } from "./people.ts";
import { printable } from "./printable.ts";

type Options = { readonly by?: string; readonly allDead?: true };

const HELP = `
ID is a mail's id or its beginning, 6 characters at least, or its Message-ID; see \`invitewatch notifications\`. The mails
are due now and have five more days. What was sent before is sent again as it was, with the same Message-ID. The daemon,
or the next \`invitewatch sync\`, delivers them.

Examples:
  $ invitewatch notifications retry 7c9e6679-7425-40de-944b-e07fc1f90ae7
  $ invitewatch notifications retry --all-dead`;

export function addNotificationsRetry(notifications: Command, context: Context): void {
  notifications
    .command("retry")
    .argument("[id...]", "ids of the mails, or their beginnings")
    .description("try mails again now that wait or were given up")
    .option("--all-dead", "every mail that was given up")
    .option("--by <name>", "who asks for it; your login name by default")
    .addHelpText("after", helpText(HELP, context))
    .action(async (texts: readonly string[], options: Options) => {
      const all = options.allDead === true;
      if (all && texts.length > 0) throw new UsageError("Name mails or say --all-dead, not both.");
      if (!all && texts.length === 0) throw new UsageError("Say which mails: by their ids, or --all-dead.");
      const by = readBy(options.by);
      await withPeople(
        context,
        "deliver",
        () => (desk) => (all ? retryDead(by, desk, context) : retryNamed(texts, by, { desk, context })),
      );
    });
}

async function retryDead(by: string, desk: PeopleDesk, context: Context): Promise<void> {
  const { mails, relayDownSince } = await retryAllDead(by, { store: desk.people, clock: context });
  if (mails.length === 0) return write(context.stdout, "No mail was given up.\n");
  await tell(mails, relayDownSince, { desk, context });
}

type Surrounded = { readonly desk: PeopleDesk; readonly context: Context };

async function retryNamed(texts: readonly string[], by: string, { desk, context }: Surrounded): Promise<void> {
  const ids = await findMails(texts, desk, context);
  if (ids.length === 0) return;
  const decided = await retryMails(ids, by, { store: desk.people, clock: context });
  if (decided.refused.length > 0) return refuseMails(decided, desk.zone, context);
  await tell(decided.mails, decided.relayDownSince, { desk, context });
}

async function tell(mails: readonly ListedMail[], relayDownSince: Date | null, { desk, context }: Surrounded) {
  const { zone, now } = desk;
  const down =
    relayDownSince === null
      ? []
      : [
          `The mail server is down since ${zone.show(relayDownSince)} (${zone.name}): one mail finds out now whether it is well again, the others wait for that.`,
        ];
  const lines = [...mails.map((mail) => `${mailName(mail)} ${whatComes(mail, now)}`), ...down];
  await write(context.stdout, `${lines.join("\n")}\n`);
}

function whatComes(mail: ListedMail, now: Date): string {
  if (!isHeld(mail, now)) return "is due now.";
  const because = mail.reason === null ? mail.heldBy : printable(mail.reason);
  return `was held (${because}); it is decided anew now whether it goes, and the same may hold it again.`;
}
