/** Makes mails from what they tell: what several recipients are told alike is rendered and encoded once. */
import type { HoldCause } from "../../domain/hold.ts";
import type { Notification } from "../../domain/notification.ts";
import type { MailInput } from "../../mail/model.ts";
import { renderAlike } from "../../mail/render.ts";
import type { ComposedMail, MailTransport } from "../ports.ts";
import type { MailSettings } from "./mail-settings.ts";
import type { MailContent } from "./outbox.ts";

const HELD_BECAUSE: Readonly<Record<HoldCause, string>> = {
  silence: "a silence",
  flapping: "a status that went back and forth",
  "quiet-hours": "quiet hours",
  flood: "the limit of mails per hour",
  outage: "a mail server that could not be reached",
};

/** A mail and all that it is made from. */
export type MailToMake = { readonly notification: Notification; readonly content: MailContent };

/** What goes out. */
export type MadeMail = ComposedMail & { readonly subject: string };

/** The same for mails that tell the same, whoever their recipients are. */
export function contentKey({ notification, content }: MailToMake): string {
  const { watch, kind } = notification;
  const { events, chainHead, heldBy } = content;
  return JSON.stringify([watch, kind, chainHead, heldBy, events.map((event) => `${event.watch} ${event.seq}`)]);
}

/** In the order of the mails. @param mails that tell the same */
export async function makeAlike(
  mails: readonly MailToMake[],
  settings: MailSettings,
  { transport, now }: { readonly transport: Pick<MailTransport, "compose">; readonly now: Date },
): Promise<readonly MadeMail[]> {
  // No mail tells a time more exactly.
  const date = new Date(Math.floor(now.getTime() / 1_000) * 1_000);
  const rendered = renderAlike(mails.map((mail) => inputOf(mail, settings, date)));
  const messages = rendered.map((mail, nth) => {
    const { messageId = "", recipient = "" } = mails[nth]?.notification ?? {};
    return { ...mail, messageId, from: settings.from, to: recipient, date };
  });
  const composed = await transport.compose(messages);
  return composed.map((mail, nth) => ({ ...mail, subject: rendered[nth]?.subject ?? "" }));
}

export function inputOf({ notification, content }: MailToMake, settings: MailSettings, now: Date): MailInput {
  const { events, invites, chainHead, heldBy, earlier } = content;
  return {
    watch: notification.watch,
    kind: notification.kind as MailInput["kind"],
    timezone: settings.timezoneOf(notification.watch),
    now,
    recipient: notification.recipient,
    from: settings.from,
    events,
    invites,
    chainHead,
    heldBecause: heldBy.map((cause) => HELD_BECAUSE[cause]),
    earlier,
  };
}
