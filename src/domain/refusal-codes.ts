/**
 * What enhanced status codes say of whose trouble it is, by subject and detail.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3463
 * @see https://www.iana.org/assignments/smtp-enhanced-status-codes
 * @see https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online
 */
import type { Trouble } from "./trouble.ts";

const DETAILS: Readonly<Partial<Record<Trouble, readonly string[]>>> = {
  // The mailbox or its domain does not exist, has moved, is disabled or full, or is not to be written to by us.
  recipient: [
    ...["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.10"],
    ...["2.1", "2.2", "2.4"],
    ...["7.2", "7.17", "7.18"],
    // Exchange Online: the recipient's own restrictions.
    ...["7.124", "7.133", "7.134", "7.135", "7.136", "7.504", "7.505", "7.507"],
  ],
  // The sender's address or domain; of Exchange Online's also "send as".
  sender: ["1.7", "1.8", "7.27", "2.252", "7.60", "7.750"],
  login: ["7.8", "7.9", "7.10", "7.11", "7.12", "7.13", "7.57"],
  relaying: ["7.54", "7.64"],
  // Host or domain: DKIM, SPF, reverse DNS, DMARC, ARC; of Exchange Online's bans of hosts and senders.
  policy: [
    ...["7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.29"],
    ...["7.501", "7.502", "7.503", "7.506", "7.509", "7.511", "7.513", "7.515", "7.708"],
    ...Array.from({ length: 44 }, (_, nth) => `7.${606 + nth}`),
  ],
  // Congestion (which Gmail says of its daily limit), floods; of Exchange Online's limits of users and tenants.
  quota: ["4.5", "7.28", "1.90", "7.508", "7.705", "7.232", "7.233", "7.236"],
  // Full, not accepting mail, wrongly configured.
  server: ["3.1", "3.2", "3.5"],
  message: ["2.3", "3.4", "7.7", "7.16", "7.512"],
};

/** By "subject.detail": what can be known by the code alone. */
export const CODE_TROUBLES: ReadonlyMap<string, Trouble> = new Map([
  ...Object.entries(DETAILS).flatMap(([trouble, details]) =>
    details.map((detail) => [detail, trouble as Trouble] as const),
  ),
  ...Array.from({ length: 14 }, (_, detail) => [`6.${detail}`, "message"] as const),
]);

/** By subject, where neither the detail nor the wording says more; a subject of 0 says nothing. */
export const SUBJECT_TROUBLES: ReadonlyMap<string, Trouble> = new Map([
  ["1", "recipient"],
  ["2", "recipient"],
  ["3", "unclear"],
  ["4", "unclear"],
  ["5", "unclear"],
  ["6", "message"],
  ["7", "unclear"],
]);
