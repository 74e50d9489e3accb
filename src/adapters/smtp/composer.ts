/** Composes mails. What several have alike, most of the header and all of the body, is encoded once for all of them. */
import { createHash } from "node:crypto";
import MailComposer from "nodemailer/lib/mail-composer";
import MimeNode from "nodemailer/lib/mime-node";
import type { Attachment, ComposedMail, Message } from "../../app/ports.ts";

/** A mail without the header fields that are its recipient's own. */
type Content = Omit<Message, "to" | "messageId">;

/** Composes mails: the exact bytes that will be sent, CRLF line ends. Each depends on its message alone. */
export async function compose(messages: readonly Message[]): Promise<readonly ComposedMail[]> {
  const encoded: { readonly content: Content; readonly bytes: Promise<Buffer> }[] = [];
  const commonOf = (content: Content) => {
    const known = encoded.findLast((one) => isSame(one.content, content)) ?? { content, bytes: encode(content) };
    if (!encoded.includes(known)) encoded.push(known);
    return known.bytes;
  };
  return Promise.all(
    messages.map(async ({ to, messageId, ...message }) => {
      const { "In-Reply-To": inReplyTo, References: references, ...headers } = message.headers;
      const own = { To: to, "Message-ID": `<${messageId}>`, "In-Reply-To": inReplyTo, References: references };
      return { own: Buffer.from(`${fieldsOf(own)}\r\n`), common: await commonOf({ ...message, headers }) };
    }),
  );
}

/** A node below another one has the header fields that it is given and no more. */
const ABOVE = { rootNode: new MimeNode(), baseBoundary: "none" };

function fieldsOf(values: Readonly<Record<string, string | undefined>>): string {
  const node = new MimeNode("", ABOVE);
  for (const [name, value] of Object.entries(values)) if (value !== undefined) node.setHeader(name, value);
  return node.buildHeaders();
}

/** The Message-ID that nodemailer gives to a mail that has none. */
const MESSAGE_ID = /^Message-ID:.*\r\n(?:[ \t].*\r\n)*/im;

async function encode(content: Content): Promise<Buffer> {
  const baseBoundary = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);
  const mail = {
    ...content,
    attachments: [...content.attachments],
    baseBoundary,
    // The bytes that are kept are those on the wire, where every line ends in CRLF.
    newline: "windows",
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const mime = await new MailComposer(mail).compile().build();
  const end = mime.indexOf("\r\n\r\n");
  const header = `${mime.toString("utf8", 0, end)}\r\n`.replace(MESSAGE_ID, "");
  return Buffer.concat([Buffer.from(header), mime.subarray(end + 2)]);
}

function isSame(one: Content, other: Content): boolean {
  return (
    one.text === other.text &&
    one.html === other.html &&
    one.subject === other.subject &&
    one.from === other.from &&
    one.date.getTime() === other.date.getTime() &&
    haveSame(one.headers, other.headers) &&
    one.attachments.length === other.attachments.length &&
    one.attachments.every((attachment, nth) => haveSame(attachment, other.attachments[nth]))
  );
}

function haveSame(one: Readonly<Record<string, string>> | Attachment, other: object | undefined): boolean {
  const [entries, others] = [Object.entries(one), Object.entries(other ?? {})];
  return (
    entries.length === others.length &&
    entries.every(([name, value], nth) => others[nth]?.[0] === name && others[nth]?.[1] === value)
  );
}
