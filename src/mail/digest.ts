/** The mail that comes by the calendar and not by what happened: where things stand, also when all is quiet. */
import type { Gap } from "../domain/coverage.ts";
import type { EventType } from "../domain/event.ts";
import type { Invite } from "../domain/invite.ts";
import { quote } from "./defang.ts";
import { digestSections } from "./digest-sections.ts";
import { digestLead, digestSubject, digestTitle } from "./digest-words.ts";
import { mailHeaders } from "./headers.ts";
import { renderHtml } from "./html.ts";
import type { RenderedMail } from "./render.ts";
import { renderText } from "./text.ts";
import { createTimes, type Times } from "./times.ts";
import type { MailView } from "./view.ts";

/** Watches that the footer names. */
const MAX_WATCHES = 10;

/** How one watch stands, and what the period brought. */
export type DigestWatch = {
  readonly name: string;
  /** The end that comes first stands first; the first 20. */
  readonly pending: readonly Invite[];
  readonly pendingCount: number;
  /** Events of the period. */
  readonly happened: readonly { readonly type: EventType; readonly count: number }[];
  /** Those of the period; superseded ones count as neither. */
  readonly syncs: { readonly complete: number; readonly fellShort: number };
  /** 0 to 1, of the period. */
  readonly coverage: number;
  /** By their beginning. */
  readonly gaps: readonly Gap[];
  readonly blindSince: Date | null;
  /** Alerts that a silence holds. */
  readonly silenced: number;
  /** The newest link of its chain. */
  readonly head: { readonly seq: number; readonly hash: string };
};

export type DigestInput = {
  readonly recipient: string;
  /** The From header as configured. */
  readonly from: string;
  /** IANA zone of the recipient. */
  readonly timezone: string;
  /** When the mail is written; the end of the period. */
  readonly now: Date;
  /** The beginning of the period. */
  readonly since: Date;
  /** Those that the recipient is told of. */
  readonly watches: readonly DigestWatch[];
  /** Mail to anybody. */
  readonly mail: {
    readonly owed: number;
    readonly oldestOwedAt: Date | null;
    /** Given up in the period; the latest first, the first 20. */
    readonly dead: readonly {
      readonly recipient: string;
      readonly subject: string | null;
      /** Names of the organizations of some of the invitations that it was about; null where one has none. */
      readonly organizations: readonly (string | null)[];
      /** How many invitations it was about. */
      readonly invites: number;
      /** When it was given up. */
      readonly at: Date;
      readonly why: string;
    }[];
    readonly deadCount: number;
    /** In the period. */
    readonly delivered: number;
  };
};

/**
 * The content of the digest. A trouble stands first, then what is pending, then each watch.
 *
 * @throws RangeError for a time zone that does not exist
 */
export function buildDigestView(input: DigestInput): MailView {
  const times = createTimes(input.timezone, input.now);
  return {
    subject: digestSubject(input, times),
    title: digestTitle(input, times),
    lead: digestLead(input, times),
    sections: digestSections(input, times),
    notes: [],
    action: "Invitations are answered in the Cloudflare dashboard, by the invited user:",
    footer: footerOf(input, times),
  };
}

/**
 * Subject, both parts and headers of the digest.
 *
 * @throws RangeError for a time zone that does not exist
 */
export function renderDigest(input: DigestInput): RenderedMail {
  const { watches, from } = input;
  const [first, ...others] = watches;
  const watch = first === undefined || others.length > 0 ? null : first.name;
  const view = buildDigestView(input);
  return {
    subject: view.subject,
    text: renderText(view),
    html: renderHtml(view),
    headers: mailHeaders({ watch, kind: "digest", from, events: [] }),
    attachments: [],
  };
}

function footerOf({ recipient, watches, now }: DigestInput, times: Times): MailView["footer"] {
  const names = watches.slice(0, MAX_WATCHES).map(({ name }) => quote(name, 40));
  const left = watches.length - names.length;
  const whose = `${names.join(", ")}${left > 0 ? ` (and ${left} more)` : ""}`;
  const quoted =
    "Words in “quotation marks” come from outside. Addresses in them are altered, as in example[.]com, so that nothing there can be clicked.";
  return [
    {
      label: "Why you get this",
      value: `${recipient} is a recipient of ${watches.length === 1 ? "the watch" : "the watches"} ${whose || "(none)"}`,
    },
    { label: "Written", value: `${times.absolute(now)}; times left are counted from then` },
    { label: "Chain head", value: "shows later whether the end of the history was cut off, so keep this mail" },
    { label: "Please note", value: quoted },
  ];
}
