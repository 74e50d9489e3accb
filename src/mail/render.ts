/** From the events of a notification to the parts of its mail; the MIME is composed elsewhere. */
import { mailHeaders } from "./headers.ts";
import { renderHtml } from "./html.ts";
import { renderText } from "./text.ts";
import { buildMailView, type MailInput } from "./view.ts";

export type RenderedMail = {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Further headers, name to value. */
  readonly headers: Readonly<Record<string, string>>;
};

/**
 * Subject, both parts and headers of one mail.
 *
 * @throws RangeError for a time zone that does not exist
 */
export function renderMail(input: MailInput): RenderedMail {
  const view = buildMailView(input);
  return { subject: view.subject, text: renderText(view), html: renderHtml(view), headers: mailHeaders(input) };
}
