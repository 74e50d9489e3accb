/** The headers that tell mail programs and scripts what a mail is. Values are printable ASCII, whatever the watch is called. */
import { createHash } from "node:crypto";
import type { Event } from "../domain/event.ts";
import type { NotificationKind } from "../domain/notification.ts";
import { formatReferences } from "./references.ts";
import { senderDomain } from "./sender.ts";

const MAX_SLUG = 40;
/** Earlier mails that References names: enough for every mail program to find the thread again. */
const MAX_EARLIER = 10;

export type HeaderInput = {
  /** Null where the mail tells of several watches. */
  readonly watch: string | null;
  readonly kind: NotificationKind;
  /** The From header as configured. */
  readonly from: string;
  /** In any order. */
  readonly events: readonly Pick<Event, "watch" | "seq">[];
};

/** The mails to one recipient about one invite. */
export type Thread = {
  readonly watch: string;
  readonly inviteId: string;
  readonly recipient: string;
  /** Message-IDs of the mails so far, without angle brackets, oldest first. */
  readonly earlier: readonly string[];
};

/**
 * Message-ID of a notification without angle brackets: the same for every attempt, for ever.
 *
 * @param from the From header as configured; its domain is the right-hand side
 */
export function messageIdFor(notificationId: string, recipient: string, from: string): string {
  return `${sha256(`${notificationId}\n${recipient}`)}@${senderDomain(from)}`;
}

/**
 * Headers beside the usual ones, name to value.
 *
 * `X-Invitewatch-Event` names the events as `ops/1, ops/2`, and more than 20 of them in ranges (`ops/1-40`).
 *
 * @see https://www.rfc-editor.org/rfc/rfc3834#section-5 Auto-Submitted
 * @see https://www.rfc-editor.org/rfc/rfc2919 List-Id
 */
export function mailHeaders(input: HeaderInput): Readonly<Record<string, string>> {
  const { watch, kind, from, events } = input;
  return {
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "All",
    "List-Id": listId(watch, senderDomain(from)),
    ...(events.length === 0 ? {} : { "X-Invitewatch-Event": formatReferences(events, headerName) }),
    "X-Invitewatch-Kind": kind,
  };
}

/**
 * The headers that put a mail into its thread, one per invite and recipient, without anything to remember: all its
 * mails refer to one Message-ID that no mail has, and that mail programs take for a message which they do not hold.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5322#section-3.6.4
 */
export function threadHeaders(
  { watch, inviteId, recipient, earlier }: Thread,
  from: string,
): Readonly<Record<string, string>> {
  const anchor = `${sha256(`thread\n${watch}\n${inviteId}\n${recipient}`)}@${senderDomain(from)}`;
  return {
    "In-Reply-To": `<${earlier.at(-1) ?? anchor}>`,
    References: [anchor, ...earlier.slice(-MAX_EARLIER)].map((id) => `<${id}>`).join(" "),
  };
}

function listId(watch: string | null, domain: string): string {
  if (watch === null) return `invitewatch <invitewatch.${domain}>`;
  const slug = slugOf(watch);
  return `invitewatch ${slug} <${slug}.invitewatch.${domain}>`;
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
