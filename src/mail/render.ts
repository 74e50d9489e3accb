/** From the events of a notification to the parts of its mail; the MIME is composed elsewhere. */
import { inviteKey } from "../domain/invite.ts";
import { type CalendarAttachment, calendarAttachments } from "./calendar.ts";
import { mailHeaders, type Thread } from "./headers.ts";
import { renderHtml } from "./html.ts";
import { renderText } from "./text.ts";
import { buildMailView, type MailInput } from "./view.ts";

export type RenderedMail = {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Further headers, name to value. */
  readonly headers: Readonly<Record<string, string>>;
  /** Calendar files. */
  readonly attachments: readonly CalendarAttachment[];
};

/**
 * Subject, both parts, headers and attachments of one mail.
 *
 * @throws RangeError for a time zone that does not exist
 */
export function renderMail(input: MailInput): RenderedMail {
  const attachments = calendarAttachments(input);
  const view = buildMailView(input, attachments);
  const thread = threadOf(input);
  return {
    subject: view.subject,
    text: renderText(view),
    html: renderHtml(view),
    headers: mailHeaders({ ...input, ...(thread === null ? {} : { thread }) }),
    attachments,
  };
}

/** The thread of a mail that is about one invite and nothing else; mail that is reported dead may stand beside it. */
function threadOf({ events, recipient, earlier }: MailInput): Thread | null {
  const [first, ...others] = events.filter(({ type }) => type !== "notification.dead");
  if (first === undefined || first.inviteId === null) return null;
  const { watch, inviteId } = first;
  const key = inviteKey({ watch, id: inviteId });
  const one = others.every((event) => event.inviteId !== null && inviteKey({ ...event, id: event.inviteId }) === key);
  return one ? { watch, inviteId, recipient, earlier } : null;
}
