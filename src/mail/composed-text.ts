/** Reads the text of a composed mail back out of its bytes: what tells the same in another way says it in the same words. */

/** The first part that is plain text, with its boundary before and behind it. */
const TEXT_PART = /^(--.*)\r\n(Content-Type: text\/plain\b[\s\S]*?)\r\n\r\n([\s\S]*?)\r\n\1(?:--)?\r\n/m;

/** The plain text of a mail that we composed, with LF line ends. @throws Error where the bytes are no such mail */
export function textOfComposed(mime: Buffer): string {
  const [, , header = "", body] = TEXT_PART.exec(mime.toString("latin1")) ?? [];
  if (body === undefined) throw new Error("the mail has no part that is plain text");
  const encoding = /^Content-Transfer-Encoding: (\S+)/m.exec(header)?.[1] ?? "7bit";
  return decoded(body, encoding).toString("utf8").replaceAll("\r\n", "\n");
}

/** @see https://www.rfc-editor.org/rfc/rfc2045#section-6 */
function decoded(body: string, encoding: string): Buffer {
  switch (encoding) {
    case "base64":
      return Buffer.from(body, "base64");
    case "quoted-printable":
      return Buffer.from(
        body
          .replaceAll("=\r\n", "")
          .replaceAll(/=([0-9A-F]{2})/g, (_, octet: string) => String.fromCharCode(Number.parseInt(octet, 16))),
        "latin1",
      );
    default:
      return Buffer.from(body, "latin1");
  }
}
