/** Writes every kind of mail into a folder, and a page that shows them. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createMailTransport } from "../adapters/smtp/transport.ts";
import { messageIdFor } from "../mail/headers.ts";
import { type Preview, type PreviewSettings, renderPreviews } from "../mail/preview.ts";
import { UsageError } from "./failure.ts";
import { renderPreviewPage } from "./mail-preview-page.ts";
import { printable } from "./printable.ts";

/** Says that the folder is ours to write into. */
const MARKER = ".invitewatch-preview";

/** How many mails were written. @throws UsageError where the folder holds something that no preview wrote */
export async function writePreviews(folder: string, settings: PreviewSettings): Promise<number> {
  await claim(folder);
  const previews = renderPreviews(settings);
  for (const preview of previews) await writePreview(preview, folder, settings);
  await writeFile(join(folder, "index.html"), renderPreviewPage(previews));
  return previews.length;
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
