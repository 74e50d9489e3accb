/** What keeps the program from its work, by what is recorded and the clock. Pure. */
import type { MailStatus, WatchStatus } from "./queries.ts";

/** Names are for machines and stay as they are; the message is one sentence for people. */
export type Shortcoming = {
  readonly name: "database_unreachable" | "sync_late" | "watch_blind" | "mail_overdue" | "mail_given_up";
  /** Null where it is not about one. */
  readonly watch: string | null;
  readonly message: string;
};

export type WatchStanding = Pick<WatchStatus, "watch" | "lastCompleteAt" | "intervalMs" | "blindSince">;

type Standing = {
  readonly watches: readonly WatchStanding[];
  readonly mail: Pick<MailStatus, "overdue" | "dead">;
  /** Since when the first sync of a watch is waited for; null where it had all the time. */
  readonly startedAt: Date | null;
  readonly now: Date;
};

/** Everything that is not as it should be; empty where all is well. */
export function shortcomingsOf({ watches, mail, startedAt, now }: Standing): readonly Shortcoming[] {
  return [
    ...watches.filter((watch) => isLate(watch, startedAt, now)).map(late),
    ...watches.filter(({ blindSince }) => blindSince !== null).map(blind),
    ...(mail.overdue > 0 ? [overdue(mail.overdue)] : []),
    ...(mail.dead > 0 ? [givenUp(mail.dead)] : []),
  ];
}

/** Whether the last complete sync, or else the start, is older than two intervals. */
export function isLate(
  { lastCompleteAt, intervalMs }: Pick<WatchStanding, "lastCompleteAt" | "intervalMs">,
  startedAt: Date | null,
  now: Date,
): boolean {
  const since = lastCompleteAt ?? startedAt;
  return since === null || intervalMs === null || now.getTime() - since.getTime() > 2 * intervalMs;
}

function late({ watch, lastCompleteAt }: WatchStanding): Shortcoming {
  const last = lastCompleteAt === null ? "There was none yet" : `The last one was at ${lastCompleteAt.toISOString()}`;
  return {
    name: "sync_late",
    watch,
    message: `The watch ${watch} had no complete sync within two intervals. ${last}.`,
  };
}

function blind({ watch, blindSince }: WatchStanding): Shortcoming {
  const since = blindSince?.toISOString();
  return { name: "watch_blind", watch, message: `The watch ${watch} is blind since ${since}: nothing can be read.` };
}

function overdue(count: number): Shortcoming {
  const mails = count === 1 ? "1 mail is" : `${count} mails are`;
  return { name: "mail_overdue", watch: null, message: `${mails} due for more than 30 minutes and not delivered.` };
}

function givenUp(count: number): Shortcoming {
  const mails = count === 1 ? "1 mail was" : `${count} mails were`;
  const how = "see `invitewatch notifications --state dead`, then retry or discard";
  return { name: "mail_given_up", watch: null, message: `${mails} given up: ${how}.` };
}
