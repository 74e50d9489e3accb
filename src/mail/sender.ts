/** What is read from the From header as configured. */
import { domainToASCII } from "node:url";

/** The domain in ASCII: the right-hand side of ids that are unique in the world. */
export function senderDomain(from: string): string {
  const domain = senderAddress(from).split("@").at(-1) ?? "";
  return domainToASCII(domain) || "invitewatch.invalid";
}

/** The address alone, without the display name and the angle brackets. */
export function senderAddress(from: string): string {
  return /([^\s<>]+@[^@<>\s]+)>?\s*$/.exec(from)?.[1] ?? "invitewatch@invitewatch.invalid";
}

/** The bare address with its domain in ASCII, as headers and calendars have to write it. */
export function asciiAddress(address: string): string {
  const at = address.lastIndexOf("@") + 1;
  return address.slice(0, at) + (domainToASCII(address.slice(at)) || address.slice(at));
}
