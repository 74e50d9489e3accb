/** `mail test`: a real mail by the real way, each stage reported as it ends. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { mailboxFault, parseMailbox } from "../config/address.ts";
import type { Config, MailConfig } from "../config/config.ts";
import { loadConfiguration } from "./configuration.ts";
import { type Context, write } from "./context.ts";
import { UsageError } from "./failure.ts";
import { jsonText } from "./format.ts";
import { helpText } from "./lines.ts";

type Options = { readonly to?: readonly string[]; readonly format: "table" | "json"; readonly json?: true };

export function addMailTest(mail: Command, context: Context): void {
  mail
    .command("test")
    .description("send a real test mail, and report each stage on its way")
    .addOption(
      new Option(
        "--to <address>",
        "whom to send it to; may be given several times (everybody configured by default)",
      ).argParser(takeAddress),
    )
    .addOption(new Option("--format <format>", "how to write the report").choices(["table", "json"]).default("table"))
    .addOption(new Option("--json", "short for --format json").conflicts("format"))
    .addHelpText(
      "after",
      helpText(
        `
Exit code 1 means that the mail server did not take the mail for everybody. That it was taken does not say that it
arrives: look for it in the mailbox, also among the junk.

Examples:
  $ invitewatch mail test
  $ invitewatch mail test --to ops@example.com --to lead@example.com`,
        context,
      ),
    )
    .action(async (options: Options) => {
      const config = await loadConfiguration(context);
      for (const warning of config.warnings) await write(context.stderr, `${warning}\n`);
      const mailConfig = mailConfigOf(config);
      const recipients = recipientsOf(config, options.to);
      const asJson = options.format === "json" || options.json === true;
      // Loaded here so that `--help` and a wrong configuration are answered at once.
      const { sendTest } = await import("./mail-test-send.ts");
      const outcome = await sendTest(config, mailConfig, recipients, context, asJson);
      const refused = recipients.filter((recipient) => !outcome.accepted.includes(recipient));
      await write(
        context.stdout,
        asJson ? jsonText({ ...outcome, refused }) : `\n${summaryOf(outcome.accepted, refused)}\n`,
      );
      if (refused.length > 0) context.setExitCode(1);
    });
}

function summaryOf(accepted: readonly string[], refused: readonly string[]): string {
  const sentences = [
    ...(accepted.length === 0 ? [] : [`The mail server took the test mail for ${accepted.join(", ")}.`]),
    ...(refused.length === 0 ? [] : [`It was not taken for ${refused.join(", ")}.`]),
  ];
  return sentences.join(" ");
}

/** @throws UsageError */
function mailConfigOf({ mail }: Config): MailConfig {
  if (mail === null) throw new UsageError("There is no mail server or no sender: set SMTP_URL and MAIL_FROM.");
  return mail;
}

/** @throws UsageError where nobody is named */
function recipientsOf({ watches, routes }: Config, asked: readonly string[] | undefined): readonly string[] {
  const everybody = [...watches, ...routes].flatMap(({ to }) => to);
  const recipients = [...new Set(asked ?? everybody)];
  if (recipients.length > 0) return recipients;
  const why = watches.length === 0 ? ", as no watch has a Cloudflare credential" : "";
  throw new UsageError(`Nobody to mail is known${why}: name somebody with --to.`);
}

function takeAddress(text: string, before: readonly string[] = []): readonly string[] {
  const mailbox = parseMailbox(text);
  if (mailbox === null) throw new InvalidArgumentError(`It ${mailboxFault(text)}.`);
  return [...before, mailbox.address];
}
