/** From the events of a notification to the parts of its mail; the MIME is composed elsewhere. */
import type { Event } from "../domain/event.ts";
import { type Invite, inviteKey } from "../domain/invite.ts";
import { createMemory } from "../domain/memory.ts";
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

/** Of so many kinds of mail what all their recipients get alike is kept. */
const MOST = 32;

/**
 * Subject, both parts, headers and attachments of one mail.
 *
 * @throws RangeError for a time zone that does not exist
 */
export const renderMail = createRenderer();

/** Renders mails. What all who are told the same get alike is made once, and the mail depends on its input alone. */
export function createRenderer(): (input: MailInput) => RenderedMail {
  const remembered = createMemory<RenderedMail>(MOST);
  return (input) => {
    const { recipient, earlier, ...content } = input;
    const cancelled = cancelledCalendars(input);
    const { events, invites, ...others } = content;
    const key = [JSON.stringify([others, cancelled.length]), ...events.map(spell), "", ...invites.map(spell)].join(
      "\n",
    );
    const shared = remembered(key, () => renderContent(content, cancelled));
    const thread = threadOf(input);
    return {
      ...shared,
      headers: { ...(thread === null ? {} : threadHeaders(thread, input.from)), ...shared.headers },
      attachments: [...shared.attachments, ...cancelled],
    };
  };
}

const spelled = new WeakMap<object, string>();

/** Everything that is known of an event or an invite, as text. */
function spell(one: Event | Invite): string {
  const known = spelled.get(one);
  if (known !== undefined) return known;
  const text = JSON.stringify(one);
  spelled.set(one, text);
  return text;
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
