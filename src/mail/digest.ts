import { quote } from "./defang.ts";
import type { DigestInput } from "./digest-model.ts";
import { digestSections } from "./digest-sections.ts";
import { digestLead, digestSubject, digestTitle } from "./digest-words.ts";
import { mailHeaders } from "./headers.ts";
import { renderHtml } from "./html.ts";
import type { MailView } from "./model.ts";
import type { RenderedMail } from "./render.ts";
import { renderText } from "./text.ts";
import { createTimes, type Times } from "./times.ts";

/** Watches that the footer names. */
const MAX_WATCHES = 10;

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
