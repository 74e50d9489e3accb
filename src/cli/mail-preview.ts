/** `mail preview`: every kind of mail as files, and a page that shows them side by side. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { createMailTransport } from "../adapters/smtp/transport.ts";
import { loadConfig } from "../config/load.ts";
import { messageIdFor } from "../mail/headers.ts";
import { type Preview, type PreviewSettings, renderPreviews } from "../mail/preview.ts";
import { type Context, write } from "./context.ts";
import { UsageError } from "./failure.ts";
import { renderPreviewPage } from "./mail-preview-page.ts";
import { printable } from "./printable.ts";

const FOLDER = "mail-preview";
/** Says that the folder is ours to write into. */
const MARKER = ".invitewatch-preview";
const SAMPLE_FROM = "Invitewatch <invitewatch@example.com>";
const SAMPLE_RECIPIENT = "you@example.com";

export function addMailPreview(mail: Command, context: Context): void {
  mail
    .command("preview")
    .description("write every kind of mail, with sample data, to files: .eml, .html, .txt and .ics")
    .option("--out <folder>", "where to write; a new or empty folder, or one of an earlier preview", FOLDER)
    .addHelpText(
      "after",
      `
Nothing is sent, and nothing has to be configured. Where something is, the mails have its sender, PUBLIC_URL and time
zone. Each kind is shown twice: with ordinary data, and with what strangers might write to deceive.

Examples:
  $ invitewatch mail preview
  $ invitewatch mail preview --out /tmp/mails`,
    )
    .action(async ({ out }: { out: string }) => {
      const { mail: mailConfig, publicUrl, timezone, watches } = loadConfig(context.env);
      const settings: PreviewSettings = {
        from: mailConfig?.from ?? SAMPLE_FROM,
        recipient: watches[0]?.to[0] ?? SAMPLE_RECIPIENT,
        publicUrl,
        timezone,
        now: context.now(),
      };
      const folder = resolve(out);
      await claim(folder);
      const previews = renderPreviews(settings);
      for (const preview of previews) await writePreview(preview, folder, settings);
      await writeFile(join(folder, "index.html"), renderPreviewPage(previews));
      const where = printable(join(folder, "index.html"));
      await write(
        context.stdout,
        `${previews.length} mails are in ${printable(folder)}; open ${where} in a browser.\n`,
      );
    });
}

/** @throws UsageError where the folder holds something that no preview wrote */
async function claim(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const entries = await readdir(folder);
    if (entries.length > 0 && !entries.includes(MARKER)) {
      throw new UsageError(`${printable(folder)} is not empty and holds no earlier preview: name another with --out.`);
    }
    await writeFile(join(folder, MARKER), "invitewatch mail preview writes into this folder.\n");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Nothing can be written to ${printable(folder)}: ${printable(reason)}`);
  }
}

async function writePreview({ name, mail }: Preview, folder: string, settings: PreviewSettings): Promise<void> {
  const { from, recipient: to, now: date } = settings;
  const transport = createMailTransport("smtp://localhost", (text) => text);
  const mime = await transport.compose({ ...mail, messageId: messageIdFor(name, to, from), from, to, date });
  await transport.close();
  await writeFile(join(folder, `${name}.eml`), mime);
  await writeFile(join(folder, `${name}.html`), mail.html);
  await writeFile(join(folder, `${name}.txt`), mail.text);
  for (const [index, { content }] of mail.attachments.entries()) {
    await writeFile(join(folder, `${name}${index === 0 ? "" : `-${index + 1}`}.ics`), content);
  }
}
