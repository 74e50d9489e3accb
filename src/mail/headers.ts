/** The headers that tell mail programs and scripts what a mail is. Values are printable ASCII, whatever the watch is called. */
import { createHash } from "node:crypto";
import { domainToASCII } from "node:url";
import { formatReferences } from "./references.ts";
import type { MailInput } from "./view.ts";

const MAX_SLUG = 40;

/**
 * Message-ID of a notification without angle brackets: the same for every attempt, for ever.
 *
 * @param from the From header as configured; its domain is the right-hand side
 */
export function messageIdFor(notificationId: string, recipient: string, from: string): string {
  return `${sha256(`${notificationId}\n${recipient}`)}@${domainOf(from)}`;
}

/**
 * Headers beside the usual ones, name to value.
 *
 * `X-Invitewatch-Event` names the events as `ops/1, ops/2`, and more than 20 of them in ranges (`ops/1-40`).
 *
 * @see https://www.rfc-editor.org/rfc/rfc3834#section-5 Auto-Submitted
 * @see https://www.rfc-editor.org/rfc/rfc2919 List-Id
 */
export function mailHeaders(
  input: Pick<MailInput, "watch" | "kind" | "from" | "events">,
): Readonly<Record<string, string>> {
  const slug = slugOf(input.watch);
  const seqs = input.events.map((event) => event.seq);
  return {
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "All",
    "List-Id": `invitewatch ${slug} <${slug}.invitewatch.${domainOf(input.from)}>`,
    ...(seqs.length === 0 ? {} : { "X-Invitewatch-Event": formatReferences(headerName(input.watch), seqs) }),
    "X-Invitewatch-Kind": input.kind,
  };
}

function domainOf(from: string): string {
  const domain = /@([^@<>\s]+)>?\s*$/.exec(from)?.[1] ?? "";
  return domainToASCII(domain) || "invitewatch.invalid";
}

/** A label for List-Id; a watch whose name does not survive whole gets a hash, so that no two share a list. */
function slugOf(watch: string): string {
  const slug = watch
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_SLUG)
    .replace(/^-|-$/g, "");
  return slug === watch ? slug : `${slug || "watch"}-${sha256(watch).slice(0, 8)}`;
}

/** The watch's name as it is where it is plain, percent-encoded otherwise. */
function headerName(watch: string): string {
  return encodeURIComponent(watch.toWellFormed());
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
