/** `mail preview`: every kind of mail as files, and a page that shows them side by side. */
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { PreviewSettings } from "../mail/preview.ts";
import { loadConfiguration } from "./configuration.ts";
import { type Context, write } from "./context.ts";
import { helpText } from "./lines.ts";
import { printable } from "./printable.ts";

const FOLDER = "mail-preview";
const SAMPLE_FROM = "Invitewatch <invitewatch@example.com>";
const SAMPLE_RECIPIENT = "you@example.com";

export function addMailPreview(mail: Command, context: Context): void {
  mail
    .command("preview")
    .description("write every kind of mail, with sample data, to files: .eml, .html, .txt and .ics")
    .option("--out <folder>", "where to write; a new or empty folder, or one of an earlier preview", FOLDER)
    .addHelpText(
      "after",
      helpText(
        `
Nothing is sent, and nothing has to be configured. Where something is, the mails have its sender and time zone.
Each kind is shown twice: with ordinary data, and with what strangers might write to deceive.

Examples:
  $ invitewatch mail preview
  $ invitewatch mail preview --out /tmp/mails`,
        context,
      ),
    )
    .action(async ({ out }: { out: string }) => {
      const { mail: mailConfig, timezone, watches } = await loadConfiguration(context);
      const settings: PreviewSettings = {
        from: mailConfig?.from ?? SAMPLE_FROM,
        recipient: watches[0]?.to[0] ?? SAMPLE_RECIPIENT,
        timezone,
        now: context.now(),
      };
      const folder = resolve(out);
      // Loaded here so that `--help` and a wrong configuration are answered at once.
      const { writePreviews } = await import("./mail-preview-write.ts");
      const count = await writePreviews(folder, settings);
      const where = printable(join(folder, "index.html"));
      await write(context.stdout, `${count} mails are in ${printable(folder)}; open ${where} in a browser.\n`);
    });
}
