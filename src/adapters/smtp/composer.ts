/** Composes mails. What many recipients get alike, both parts and the files, is encoded once for all of them. */
import { createHash } from "node:crypto";
import MailComposer from "nodemailer/lib/mail-composer";
import type { Attachment, Message } from "../../app/ports.ts";

/** Bodies that are kept: of the news of some minutes. */
const MOST = 32;

type Content = Pick<Message, "text" | "html" | "attachments">;

/** A multipart body, without the header before it. Its boundary is made of the content, so that it is always the same. */
type Body = { readonly content: Content; readonly boundary: string; readonly bytes: Promise<Buffer> };

/** Composes one mail: the exact bytes that will be sent, CRLF line ends. */
export function createComposer(): (message: Message) => Promise<Buffer> {
  let recent: readonly Body[] = [];
  const bodyOf = (message: Message): Body => {
    const known = recent.find(({ content }) => isSame(content, message));
    if (known !== undefined && known === recent[0]) return known;
    const body = known ?? encode(message);
    recent = [body, ...recent.filter((one) => one !== body)].slice(0, MOST);
    return body;
  };
  return async (message) => {
    const { boundary, bytes } = bodyOf(message);
    const header = compile(message, boundary).buildHeaders();
    return Buffer.concat([Buffer.from(`${header}\r\n\r\n`), await bytes]);
  };
}

function encode(message: Message): Body {
  const { text, html, attachments } = message;
  const content = { text, html, attachments };
  const boundary = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);
  const bytes = compile(message, boundary)
    .build()
    .then((mime) => mime.subarray(mime.indexOf("\r\n\r\n") + 4));
  return { content, boundary, bytes };
}

function compile({ headers, messageId, attachments, ...message }: Message, baseBoundary: string) {
  const mail = {
    ...message,
    messageId: `<${messageId}>`,
    headers,
    attachments: [...attachments],
    baseBoundary,
    // The bytes that are kept are those on the wire, where every line ends in CRLF.
    newline: "windows",
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  return new MailComposer(mail).compile();
}

function isSame(one: Content, other: Content): boolean {
  return (
    one.text === other.text &&
    one.html === other.html &&
    one.attachments.length === other.attachments.length &&
    one.attachments.every((attachment, nth) => isSameFile(attachment, other.attachments[nth]))
  );
}

function isSameFile(one: Attachment, other: Attachment | undefined): boolean {
  return one.filename === other?.filename && one.contentType === other.contentType && one.content === other.content;
}
