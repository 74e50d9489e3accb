/**
 * Mail addresses in settings: one mailbox, with or without a display name, or several separated by commas.
 *
 * Stricter than RFC 5322: no comments, groups, quoted local parts or address literals, which no mail provider of
 * today hands out and which hide mistakes. A host without a dot is fine (`root@localhost`).
 */
import { domainToASCII } from "node:url";

/** A mailbox as given: `Ops <ops@example.com>` has a name, `ops@example.com` has none. */
export type Mailbox = { readonly name: string | null; readonly address: string };

const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const QUOTED_NAME = /^"(?:[^"\\]|\\.)*"$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a line break in a name would end the header.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** The mailbox, or null where the text is not exactly one. */
export function parseMailbox(text: string): Mailbox | null {
  const trimmed = text.trim();
  if (CONTROL.test(trimmed)) return null;
  const bracketed = /^(.*)<([^<>]*)>$/.exec(trimmed);
  if (bracketed === null) return isAddress(trimmed) ? { name: null, address: trimmed } : null;

  const [, before = "", inside = ""] = bracketed;
  const name = before.trim();
  const address = inside.trim();
  if (!isAddress(address)) return null;
  if (name !== "" && !QUOTED_NAME.test(name) && /[()<>[\]:;@\\,"]/.test(name)) return null;
  return { name: name === "" ? null : name, address };
}

/** Why the text is not exactly one mailbox: "is not an e-mail address". @param text one that `parseMailbox` refuses */
export function mailboxFault(text: string): string {
  const [, local = ""] = /([^\s<>]*)@[^@<>]*>?\s*$/.exec(text) ?? [];
  return /^\p{ASCII}*$/u.test(local)
    ? "is not an e-mail address"
    : 'has a character before the "@" that is not ASCII; such addresses (SMTPUTF8) are not supported';
}

/** The parts of a list, split at commas that stand outside quotes; trimmed, empty parts left out. */
export function splitAddressList(text: string): readonly string[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"|[^,])+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** Equal for two addresses that reach the same mailbox for certain: only the domain is case-insensitive. */
export function addressKey(address: string): string {
  const at = address.lastIndexOf("@");
  return address.slice(0, at + 1) + domainToASCII(address.slice(at + 1)).toLowerCase();
}

/** @see https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1 for the lengths */
function isAddress(text: string): boolean {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(0, at));
  const domain = domainToASCII(text.slice(at + 1));
  if (local.length > 64 || local.length + 1 + domain.length > 254) return false;
  return LOCAL_PART.test(local) && domain !== "" && domain.split(".").every((label) => LABEL.test(label));
}
