/** How mails are made and when they may go: the same for all watches but for what is asked by name. */
import type { QuietHours } from "../../domain/quiet-hours.ts";

export type MailSettings = {
  readonly from: string;
  /** Zone of the times shown; of a mail of several watches where the name is null. */
  readonly timezoneOf: (watch: string | null) => string;
  readonly quietHoursOf: (watch: string) => QuietHours | null;
  /** Mails per recipient and hour. */
  readonly floodCap: number;
  /** The stable Message-ID of a notification, without angle brackets. */
  readonly messageId: (notificationId: string, recipient: string) => string;
};
