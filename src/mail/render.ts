/** From the events of a notification to the parts of its mail; the MIME is composed elsewhere. */
import { inviteKey } from "../domain/invite.ts";
import { type CalendarAttachment, cancelledCalendars, publishedCalendars } from "./calendar.ts";
import { mailHeaders, type Thread, threadHeaders } from "./headers.ts";
import { renderHtml } from "./html.ts";
import type { Content, MailInput } from "./model.ts";
import { renderText } from "./text.ts";
import { buildMailView } from "./view.ts";

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
 * Subject, both parts, headers and attachments of one mail. It depends on its input alone.
 *
 * @throws RangeError for a time zone that does not exist
 */
export function renderMail(input: MailInput): RenderedMail {
  return renderAlike([input])[0] as RenderedMail;
}

/** Of mails that tell the same to several recipients, in their order: what these get alike is made once. */
export function renderAlike(inputs: readonly MailInput[]): readonly RenderedMail[] {
  const [first] = inputs;
  if (first === undefined) return [];
  const shared = renderContent(first, cancelledCalendars(first));
  return inputs.map((input) => {
    const thread = threadOf(input);
    return {
      ...shared,
      headers: { ...(thread === null ? {} : threadHeaders(thread, input.from)), ...shared.headers },
      attachments: [...shared.attachments, ...cancelledCalendars(input)],
    };
  });
}

/** @param cancelled the calendars that are the recipient's own: what they are about is the content's */
function renderContent(content: Content, cancelled: readonly CalendarAttachment[]): RenderedMail {
  const published = publishedCalendars(content);
  const view = buildMailView(content, [...published, ...cancelled]);
  return {
    subject: view.subject,
    text: renderText(view),
    html: renderHtml(view),
    headers: mailHeaders(content),
    attachments: published,
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
