/** A composed mail in two parts: the header fields of its own, and the rest, which many recipients may have in common. */
import type { ComposedMail, MailTransport, Message } from "./ports.ts";

/** The exact bytes that will be sent. */
export function bytesOf({ own, common }: ComposedMail): Buffer {
  return Buffer.concat([own, common]);
}

/** The exact bytes of one mail. */
export async function composeOne(message: Message, { compose }: Pick<MailTransport, "compose">): Promise<Buffer> {
  const [composed] = await compose([message]);
  if (composed === undefined) throw new Error("a mail was not composed");
  return bytesOf(composed);
}
