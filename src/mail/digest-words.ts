/** The digest in a line and in sentences: what troubles, what is pending, how the period went. */
import type { EventType } from "../domain/event.ts";
import { hasEnded } from "../domain/expiry.ts";
import { OVERDUE_AFTER_MS } from "../domain/notification.ts";
import { cap, quote, withoutIsolates } from "./defang.ts";
import type { DigestInput, DigestWatch } from "./digest-model.ts";
import { count, type Times } from "./times.ts";

/** Longest subject, in UTF-16 units. */
const MAX_SUBJECT = 120;

/** How a number of events of one type is told, in the order in which they are. */
const HAPPENED: ReadonlyMap<EventType, (number: number) => string> = new Map<EventType, (number: number) => string>([
  ["invite.received", (number) => count(number, "new invitation")],
  ["invite.status_changed", (number) => `${count(number, "change")} of status`],
  ["invite.expired", (number) => `${figure(number)} expired`],
  ["invite.withdrawn", (number) => `${figure(number)} withdrawn`],
  ["invite.returned", (number) => `${figure(number)} listed again`],
  ["invite.changed", (number) => `${count(number, "other change")}`],
  ["invite.unrecognised", (number) => `${figure(number)} not understood`],
  ["invite.expiring", (number) => count(number, "reminder")],
  ["invite.acknowledged", (number) => `${figure(number)} acknowledged`],
  ["silence.created", (number) => `${count(number, "silence")} set`],
  ["silence.ended", (number) => `${count(number, "silence")} ended`],
  ["watch.baseline", () => "the first complete read"],
  ["watch.blind", (number) => `blind ${times(number)}`],
  ["watch.recovered", (number) => `seeing again ${times(number)}`],
  ["notification.dead", (number) => `${count(number, "mail")} given up`],
]);

type Happened = DigestWatch["happened"];

/** "Digest: “ops” is blind, 2 more troubles, 3 pending, the first ends in 2 days 4 hours" */
export function digestSubject(input: DigestInput, times: Times): string {
  return cap(withoutIsolates(`Digest: ${titleOf(input, times, 1)}`), MAX_SUBJECT, MAX_SUBJECT - 1);
}

/** What the subject says, with every trouble. */
export function digestTitle(input: DigestInput, times: Times): string {
  const title = titleOf(input, times, Number.POSITIVE_INFINITY);
  return title.slice(0, 1).toUpperCase() + title.slice(1);
}

function titleOf(input: DigestInput, times: Times, maxTroubles: number): string {
  if (isQuiet(input)) return "all quiet, nothing pending";
  const troubles = troublesOf(input);
  const left = troubles.length - maxTroubles;
  const gaps = input.watches.reduce((sum, watch) => sum + watch.gaps.length, 0);
  return [
    ...troubles.slice(0, maxTroubles),
    ...(left > 0 ? [count(left, "more trouble")] : []),
    pendingPhrase(input, times),
    ...(gaps > 0 && troubles.length === 0 ? [count(gaps, "gap")] : []),
  ].join(", ");
}

/** Whether there is nothing that anybody would want to know. */
function isQuiet(input: DigestInput): boolean {
  const { watches } = input;
  return (
    watches.length > 0 &&
    troublesOf(input).length === 0 &&
    watches.every(({ pendingCount, happened, gaps }) => pendingCount + happened.length + gaps.length === 0)
  );
}

/** The period in three or four sentences. */
export function digestLead(input: DigestInput, times: Times): string {
  const since = times.absolute(input.since);
  const happened = happenedPhrase(input.watches.flatMap((watch) => watch.happened));
  return [
    happened === null ? `Nothing happened since ${since}.` : `Since ${since}: ${happened}.`,
    syncSentence(input.watches),
    mailSentence(input),
    ...(isQuiet(input) ? ["This mail also comes when all is quiet, so that you notice when it does not."] : []),
  ].join(" ");
}

/** "2 new invitations, 1 expired"; null where nothing happened. */
export function happenedPhrase(happened: Happened): string | null {
  const counts = new Map<EventType, number>();
  for (const { type, count: number } of happened) counts.set(type, (counts.get(type) ?? 0) + number);
  const known = [...HAPPENED].flatMap(([type, phrase]) => {
    const number = counts.get(type) ?? 0;
    return number === 0 ? [] : [phrase(number)];
  });
  const others = [...counts].reduce((sum, [type, number]) => (HAPPENED.has(type) ? sum : sum + number), 0);
  const phrases = others === 0 ? known : [...known, count(others, "other event")];
  return phrases.length === 0 ? null : phrases.join(", ");
}

/** "all 672 were complete" */
export function syncPhrase({ complete, fellShort }: DigestWatch["syncs"]): string {
  const all = complete + fellShort;
  if (all === 0) return "none ran";
  if (fellShort === 0) return all === 1 ? "the only one was complete" : `all ${figure(all)} were complete`;
  return `${figure(complete)} of ${figure(all)} were complete`;
}

/** The watch as one speaks of it: the one that was never given a name has none. */
export function watchPhrase({ name }: DigestWatch, watches: readonly DigestWatch[]): string {
  return name === "default" && watches.length === 1 ? "the watch" : quote(name, 24);
}

/** Whether nobody knows what became of the watch's invitations, since a while or in the whole period. */
export function isUnseen(watch: DigestWatch): boolean {
  return watch.blindSince !== null || isUnread(watch);
}

function isUnread({ blindSince, syncs }: DigestWatch): boolean {
  return blindSince === null && syncs.complete === 0;
}

/** Whether mail is owed for longer than a delivery takes. */
export function isLate({ mail, now }: DigestInput): boolean {
  return mail.oldestOwedAt !== null && now.getTime() - mail.oldestOwedAt.getTime() > OVERDUE_AFTER_MS;
}

export function figure(number: number): string {
  return number.toLocaleString("en-US");
}

function troublesOf(input: DigestInput): readonly string[] {
  const { watches, mail } = input;
  const about = (some: readonly DigestWatch[], one: string, several: string): readonly string[] => {
    const [first, ...others] = some;
    if (first === undefined) return [];
    return [others.length === 0 ? `${watchPhrase(first, watches)} ${one}` : `${some.length} watches ${several}`];
  };
  return [
    ...about(
      watches.filter(({ blindSince }) => blindSince !== null),
      "is blind",
      "are blind",
    ),
    ...about(watches.filter(isUnread), "was not read", "were not read"),
    ...(mail.deadCount > 0 ? [`${count(mail.deadCount, "mail")} undeliverable`] : []),
    ...(isLate(input) ? [`${count(mail.owed, "mail")} late`] : []),
  ];
}

function pendingPhrase({ watches, now }: DigestInput, times: Times): string {
  const pending = watches.reduce((sum, watch) => sum + watch.pendingCount, 0);
  if (pending === 0) return "nothing pending";
  const invites = watches.flatMap((watch) => watch.pending).filter((invite) => !hasEnded(invite, now));
  const ends = invites.flatMap(({ expiresAt }) => expiresAt ?? []);
  if (ends.length === 0) return `${figure(pending)} pending`;
  const first = new Date(Math.min(...ends.map((end) => end.getTime())));
  return `${figure(pending)} pending, ${pending === 1 ? "which" : "the first"} ends ${times.relative(first)}`;
}

function syncSentence(watches: readonly DigestWatch[]): string {
  const complete = watches.reduce((sum, { syncs }) => sum + syncs.complete, 0);
  const fellShort = watches.reduce((sum, { syncs }) => sum + syncs.fellShort, 0);
  const all = complete + fellShort;
  if (all === 0) return "No sync ran.";
  if (fellShort === 0) return all === 1 ? "The only sync was complete." : `All ${figure(all)} syncs were complete.`;
  return `${figure(complete)} of ${figure(all)} syncs were complete.`;
}

function mailSentence({ mail: { delivered, owed, deadCount } }: DigestInput): string {
  if (delivered + owed + deadCount === 0) return "No mail had to be sent.";
  const was = (number: number): string => (number === 1 ? "was" : "were");
  const parts = [
    `${delivered === 0 ? "No mail" : count(delivered, "mail")} ${was(delivered || 1)} delivered`,
    ...(owed > 0 ? [`${figure(owed)} ${owed === 1 ? "is" : "are"} still owed`] : []),
    ...(deadCount > 0 ? [`${figure(deadCount)} could not be delivered`] : []),
  ];
  return `${parts.join(", ")}${owed + deadCount === 0 ? " and none is owed" : ""}.`;
}

function times(number: number): string {
  return number === 1 ? "once" : `${figure(number)} times`;
}
