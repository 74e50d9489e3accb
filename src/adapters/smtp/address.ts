/** Writes addresses as they go over the wire. */
import { domainToASCII } from "node:url";
import addressparser from "nodemailer/lib/addressparser";

/** The bare address with its domain in ASCII, of one that may have a name before it. */
export function onTheWire(mailbox: string): string {
  const address = addressparser(mailbox, { flatten: true })[0]?.address || mailbox;
  const at = address.lastIndexOf("@") + 1;
  return address.slice(0, at) + (domainToASCII(address.slice(at)) || address.slice(at));
}
