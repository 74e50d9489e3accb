/** The mail that `mail test` sends: it says that mail arrives, and looks like the others. */

import { mailHeaders } from "./headers.ts";
import { renderHtml } from "./html.ts";
import type { Fact, MailView } from "./model.ts";
import type { RenderedMail } from "./render.ts";
import { senderAddress } from "./sender.ts";
import { renderText } from "./text.ts";
import { createTimes } from "./times.ts";

export type TestMailInput = {
  /** IANA zone of the times in it. */
  readonly timezone: string;
  readonly now: Date;
  readonly recipients: readonly string[];
  /** The From header as configured. */
  readonly from: string;
};

const SUBJECT = "Test mail: invitewatch can reach you";

/**
 * Subject, both parts and headers of the test mail.
 *
 * @throws RangeError for a time zone that does not exist
 */
export function renderTestMail(input: TestMailInput): RenderedMail {
  const view: MailView = {
    subject: SUBJECT,
    title: SUBJECT,
    lead: "Mails about Cloudflare invitations will come to you this way: from the same sender, and looking like this one. If you found it among the junk, mark it as wanted, or let the sender through.",
    sections: [],
    notes: [],
    action: "There is nothing to do. The Cloudflare dashboard, where invitations are answered:",
    footer: footerOf(input),
  };
  const headers = mailHeaders({ watch: null, kind: "test", from: input.from, events: [] });
  return { subject: view.subject, text: renderText(view), html: renderHtml(view), headers, attachments: [] };
}

function footerOf({ timezone, now, recipients, from }: TestMailInput): readonly Fact[] {
  const times = createTimes(timezone, now);
  return [
    { label: "Why you get this", value: `somebody ran "invitewatch mail test" for ${recipients.join(", ")}` },
    { label: "Written", value: times.absolute(now) },
    { label: "Sender", value: senderAddress(from) },
  ];
}
