/** What keeps the program from its work, by what is recorded and the clock. Pure. */
import { type ClockSkew, type KnownSkew, skewed } from "../domain/clock-skew.ts";
import { elapsedMs, isFuture } from "../domain/elapsed.ts";
import { skewText } from "./clocks.ts";
import type { MailStatus, WatchStatus } from "./queries.ts";

/** Names are for machines and stay as they are; the message is one sentence for people. */
export type Shortcoming = {
  readonly name:
    | "database_unreachable"
    | "sync_late"
    | "watch_blind"
    | "mail_overdue"
    | "mail_given_up"
    | "clock_skewed";
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
  /** How this machine's clock stands to the others. */
  readonly clocks: readonly ClockSkew[];
  readonly now: Date;
};

/** Everything that is not as it should be; empty where all is well. */
export function shortcomingsOf({ watches, mail, startedAt, clocks, now }: Standing): readonly Shortcoming[] {
  return [
    ...watches.filter((watch) => isLate(watch, startedAt, now)).map((watch) => late(watch, now)),
    ...watches.filter(({ blindSince }) => blindSince !== null).map(blind),
    ...(mail.overdue > 0 ? [overdue(mail.overdue)] : []),
    ...(mail.dead > 0 ? [givenUp(mail.dead)] : []),
    ...skewed(clocks).map(clockSkewed),
  ];
}

/** Whether the last complete sync, or else the start, is older than two intervals, or lies in the future. */
export function isLate(
  { lastCompleteAt, intervalMs }: Pick<WatchStanding, "lastCompleteAt" | "intervalMs">,
  startedAt: Date | null,
  now: Date,
): boolean {
  const since = lastCompleteAt ?? startedAt;
  return intervalMs === null || elapsedMs(since, now) > 2 * intervalMs;
}

function late({ watch, lastCompleteAt }: WatchStanding, now: Date): Shortcoming {
  const wrong = lastCompleteAt !== null && isFuture(lastCompleteAt, now) ? ", under a clock that was wrong" : "";
  const last =
    lastCompleteAt === null ? "There was none yet" : `The last one was at ${lastCompleteAt.toISOString()}${wrong}`;
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

function clockSkewed(skew: KnownSkew): Shortcoming {
  return { name: "clock_skewed", watch: null, message: skewText(skew) };
}
