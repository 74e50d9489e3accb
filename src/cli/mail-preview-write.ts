/** Writes every kind of mail into a folder, and a page that shows them. */

import { createMailTransport } from "../adapters/smtp/transport.ts";
import { composeOne } from "../app/composed-mail.ts";
import { messageIdFor } from "../mail/headers.ts";
import { type Preview, type PreviewSettings, renderPreviews } from "../mail/preview.ts";
import { UsageError } from "./failure.ts";
import { renderPreviewPage } from "./mail-preview-page.ts";
import { type OwnFolder, openOwnFolder } from "./own-folder.ts";
import { printable } from "./printable.ts";

/** Says that the folder is ours to write into. */
const MARKER = ".invitewatch-preview";

/** How many mails were written. @throws UsageError where the folder is not safe, or holds something that no preview wrote */
export async function writePreviews(path: string, settings: PreviewSettings): Promise<number> {
  const folder = await openOwnFolder(path);
  if (folder.entries.length > 0 && !folder.entries.includes(MARKER)) {
    throw new UsageError(`${printable(path)} is not empty and holds no earlier preview: name another with --out.`);
  }
  await folder.write(MARKER, "invitewatch mail preview writes into this folder.\n");
  const previews = renderPreviews(settings);
  for (const preview of previews) await writePreview(preview, folder, settings);
  await folder.write("index.html", renderPreviewPage(previews));
  return previews.length;
}

async function writePreview({ name, mail }: Preview, folder: OwnFolder, settings: PreviewSettings): Promise<void> {
  const { from, recipient: to, now: date } = settings;
  const transport = createMailTransport("smtp://localhost", (text) => text);
  const message = { ...mail, messageId: messageIdFor(name, to, from), from, to, date };
  const mime = await composeOne(message, transport);
  await transport.close();
  await folder.write(`${name}.eml`, mime);
  await folder.write(`${name}.html`, mail.html);
  await folder.write(`${name}.txt`, mail.text);
  for (const [index, { content }] of mail.attachments.entries()) {
    await folder.write(`${name}${index === 0 ? "" : `-${index + 1}`}.ics`, content);
  }
}
