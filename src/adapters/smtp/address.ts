/** Writes addresses as they go over the wire. */
import { domainToASCII } from "node:url";
import addressparser from "nodemailer/lib/addressparser";
import { createMemory } from "../../domain/memory.ts";

/** The same few people are written to again and again. */
const MOST_PEOPLE = 2_000;

const remembered = createMemory<string>(MOST_PEOPLE);

/** The bare address with its domain in ASCII, of one that may have a name before it. */
export function onTheWire(mailbox: string): string {
  return remembered(mailbox, () => bareAddress(mailbox));
}

function bareAddress(mailbox: string): string {
  const address = addressparser(mailbox, { flatten: true })[0]?.address || mailbox;
  const at = address.lastIndexOf("@") + 1;
  return address.slice(0, at) + (domainToASCII(address.slice(at)) || address.slice(at));
}
