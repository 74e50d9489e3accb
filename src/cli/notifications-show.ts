/** `notifications show`: everything that is recorded of one mail, or its exact bytes. */
import { type Command, Option } from "commander";
import type { MailStory } from "../app/explain.ts";
import { eventJson } from "../domain/chain.ts";
import { type Context, write } from "./context.ts";
import { type JsonRow, jsonText } from "./format.ts";
import { helpText } from "./lines.ts";
import { attemptJson, mailJson } from "./mail-json.ts";
import { findMails, mailName } from "./mails.ts";
import { mailScreenOf } from "./notifications-show-screen.ts";
import { type PeopleDesk, refuse, withPeople } from "./people.ts";

type Options = { readonly format: "table" | "json"; readonly json?: true; readonly mime?: true };

const HELP = `
ID is a mail's id or its beginning, 6 characters at least, or its Message-ID: what a line of our log or of the mail
server's names. It says what the mail tells and to whom and why, what it waits for or why it was not sent, every attempt
with how far it came, and the mail server's answers.

--mime writes the mail as it was or will be sent, byte for byte. (A webhook is given its subject and text alone.)

Examples:
  $ invitewatch notifications show 7c9e66
  $ invitewatch notifications show '<5f0c14a2a41d5063@example.com>' --json
  $ invitewatch notifications show 7c9e66 --mime > mail.eml`;

export function addNotificationsShow(notifications: Command, context: Context): void {
  notifications
    .command("show")
    .argument("<id>", "id of the mail, the beginning of it, or its Message-ID")
    .description("what one mail tells, every attempt at it, and what became of it")
    .addOption(new Option("--format <format>", "how to write the answer").choices(["table", "json"]).default("table"))
    .addOption(new Option("--json", "short for --format json").conflicts("format"))
    .addOption(new Option("--mime", "write the mail itself, as it is sent").conflicts(["format", "json"]))
    .addHelpText("after", helpText(HELP, context))
    .action((text: string, options: Options) =>
      withPeople(context, "read", () => async (desk) => {
        const [id] = await findMails([text], desk, context);
        if (id === undefined) return;
        const story = await desk.people.mailStory(id);
        await (options.mime ? answerMime(story, desk, context) : answer(story, options, { desk, context }));
      }),
    );
}

async function answerMime({ mail }: MailStory, { people }: PeopleDesk, context: Context): Promise<void> {
  const mime = await people.mime(mail.id);
  if (mime !== null) return write(context.stdout, mime);
  const why = "that is done just before its first attempt, and there was none";
  await refuse([`${mailName(mail)} is not written yet: ${why}.`], context);
}

async function answer(
  story: MailStory,
  { format, json }: Options,
  { desk, context }: { readonly desk: PeopleDesk; readonly context: Context },
): Promise<void> {
  if (format === "json" || json) return write(context.stdout, jsonText(storyJson(story)));
  const lines = mailScreenOf(story, { zone: desk.zone, now: desk.now, columns: context.columns });
  await write(context.stdout, `${lines.join("\n")}\n`);
}

function storyJson({ mail, told, covers }: MailStory): JsonRow {
  return {
    notification: { ...mailJson(mail), covers: covers.map(({ id }) => id) },
    deliveryAttempts: mail.deliveryAttempts.map(attemptJson),
    events: told.map(({ event }) => eventJson(event)),
  };
}
