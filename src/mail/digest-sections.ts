/** The body of the digest: what needs attention, what is pending, and each watch with its gaps and its chain head. */
import type { Gap } from "../domain/coverage.ts";
import { hasEnded } from "../domain/expiry.ts";
import type { Invite } from "../domain/invite.ts";
import { defang, quote } from "./defang.ts";
import type { DigestInput, DigestWatch } from "./digest-model.ts";
import { figure, happenedPhrase, isLate, isUnseen, syncPhrase, watchPhrase } from "./digest-words.ts";
import { NAME_LENGTH, watchName } from "./facts.ts";
import { foreign, idOrQuote, roleList } from "./fields.ts";
import { organization } from "./headline.ts";
import type { Fact, ItemView, SectionView } from "./model.ts";
import { aboutPhrase } from "./notices.ts";
import { count, duration, type Times } from "./times.ts";

/** Invitations in one mail, over all watches. */
const MAX_PENDING = 20;
const MAX_GAPS = 5;
const MAX_DEAD = 10;
/** A reason says at its end what to do. */
const REASON_LENGTH = 600;

/** The sections that have something to say; the watches always do. */
export function digestSections(input: DigestInput, times: Times): readonly SectionView[] {
  const attention = [...watchTroubles(input, times), ...mailTroubles(input, times)];
  const pending = pendingItems(input, times);
  const pendingCount = input.watches.reduce((sum, watch) => sum + watch.pendingCount, 0);
  const left = pendingCount - pending.length;
  return [
    ...section("Needs attention", attention),
    ...section(`Pending (${figure(pendingCount)})`, pending, left > 0 ? moreOf(left, "invites") : null),
    ...section(
      watchesTitle(input.watches),
      input.watches.map((watch) => watchItem(watch, input.watches, times)),
    ),
  ];
}

function watchesTitle(watches: readonly DigestWatch[]): string {
  const [first, ...others] = watches;
  if (first === undefined || others.length > 0) return `Watches (${watches.length})`;
  return first.name === "default" ? "History" : `Watch ${quote(first.name, 40)}`;
}

function section(title: string, items: readonly ItemView[], more: string | null = null): readonly SectionView[] {
  return items.length === 0 ? [] : [{ title, summary: null, items, more }];
}

function watchTroubles({ watches }: DigestInput, times: Times): readonly ItemView[] {
  return watches.flatMap((watch): readonly ItemView[] => {
    const { blindSince, gaps } = watch;
    if (!isUnseen(watch)) return [];
    const reason = (gaps.findLast(({ until }) => until === null) ?? gaps.at(-1))?.reason;
    return [
      {
        headline: `${sentence(watchPhrase(watch, watches))} ${blindSince === null ? "was not read" : "is blind"}`,
        tone: "urgent",
        facts: [
          ...(blindSince === null ? [] : [{ label: "Since", value: times.full(blindSince) }]),
          ...(reason === undefined ? [] : [{ label: "Cause", value: foreign(reason, times, REASON_LENGTH) }]),
          { label: "Unseen", value: "new invitations and answers; reminders of ends that are known still come" },
        ],
      },
    ];
  });
}

function mailTroubles(input: DigestInput, times: Times): readonly ItemView[] {
  const { dead, deadCount, owed, oldestOwedAt } = input.mail;
  const failures = dead.slice(0, MAX_DEAD).map(({ recipient, subject, organizations, invites, at, why }): Fact => {
    const names = organizations.map((organizationName) => organization({ organizationName }, 40));
    const title = subject === null ? "a mail" : quote(subject, 120);
    const about = `${title}${aboutPhrase(names, invites)}, ${times.absolute(at)}`;
    return { label: "To", value: defang(recipient, 100), more: [about, quote(foreign(why, times), 300)] };
  });
  const left = deadCount - failures.length;
  const undeliverable: ItemView = {
    headline: `${count(deadCount, "mail")} could not be delivered`,
    tone: "urgent",
    facts: [
      ...failures,
      ...(left > 0 ? [{ label: "More", value: moreOf(left, "notifications") }] : []),
      {
        label: "What to do",
        value:
          '"invitewatch notifications retry --all-dead" sends them again, "notifications discard ID --reason TEXT" drops them',
      },
    ],
  };
  const late: ItemView = {
    headline: `${count(owed, "mail")} ${owed === 1 ? "is" : "are"} late`,
    tone: "urgent",
    facts: oldestOwedAt === null ? [] : [{ label: "Oldest", value: times.full(oldestOwedAt) }],
  };
  return [...(deadCount > 0 ? [undeliverable] : []), ...(isLate(input) ? [late] : [])];
}

/** Of all watches, what ends first stands first. */
function pendingItems({ watches, now }: DigestInput, times: Times): readonly ItemView[] {
  const end = ({ expiresAt }: Invite): number => expiresAt?.getTime() ?? Infinity;
  return watches
    .flatMap(({ pending }) => pending)
    .sort((a, b) => (end(a) === end(b) ? 0 : end(a) - end(b)))
    .slice(0, MAX_PENDING)
    .map((invite) => pendingItem(invite, now, { times, severalWatches: watches.length > 1 }));
}

type Telling = { readonly times: Times; readonly severalWatches: boolean };

function pendingItem(invite: Invite, now: Date, { times, severalWatches }: Telling): ItemView {
  const { expiresAt, invitedBy, acknowledgedAt } = invite;
  const ends = hasEnded(invite, now) ? "ended" : "ends";
  const end = expiresAt === null ? "no end is known" : `${ends} ${times.relative(expiresAt)}`;
  return {
    headline: `${organization(invite, NAME_LENGTH)} — ${end}`,
    tone: invite.alertedLeadMs === null ? "open" : "urgent",
    facts: [
      ...(expiresAt === null ? [] : [{ label: "Ends", value: times.absolute(expiresAt) }]),
      ...(severalWatches ? [{ label: "Watch", value: quote(invite.watch, 40) }] : []),
      ...(invitedBy ? [{ label: "Invited by", value: quote(invitedBy, 100) }] : []),
      { label: "Roles", value: roleList(invite.roles) },
      ...(acknowledgedAt === null
        ? []
        : [{ label: "Acknowledged", value: `${times.absolute(acknowledgedAt)}, no reminders since` }]),
      { label: "Invitation id", value: idOrQuote(invite.id, 64) },
    ],
  };
}

function watchItem(watch: DigestWatch, watches: readonly DigestWatch[], times: Times): ItemView {
  const { name, pendingCount, head, silenced, blindSince } = watch;
  const several = watches.length > 1;
  const pending = pendingCount === 0 ? "nothing pending" : `${figure(pendingCount)} pending`;
  const happened = several ? happenedPhrase(watch.happened) : null;
  const covered = `${percentage(watch.coverage)} of the time`;
  return {
    headline: several ? `${quote(name, 40)}: ${blindSince === null ? "" : "blind, "}${pending}` : null,
    tone: isUnseen(watch) ? "urgent" : pendingCount > 0 ? "open" : "closed",
    facts: [
      ...(happened === null ? [] : [{ label: "Happened", value: happened }]),
      several
        ? { label: "Syncs", value: `${syncPhrase(watch.syncs)}, covering ${covered}` }
        : { label: "Coverage", value: covered },
      ...gapFacts(watch, times),
      ...(silenced === 0
        ? []
        : [{ label: "Silenced", value: `${count(silenced, "alert")}; "invitewatch silences" says why` }]),
      { label: "Chain head", value: `${watchName(name)}/${head.seq}`, more: [head.hash] },
    ],
  };
}

/** The latest gaps, in the order of time. */
function gapFacts(watch: DigestWatch, times: Times): readonly Fact[] {
  const { gaps } = watch;
  const lines = gaps.slice(-MAX_GAPS).map((gap) => gapLine(gap, isUnseen(watch), times));
  const left = gaps.length - lines.length;
  const [first, ...more] = left > 0 ? [...lines, moreOf(left, "gaps")] : lines;
  if (first === undefined) return [];
  return [{ label: gaps.length === 1 ? "Gap" : "Gaps", value: first, more }];
}

/** The cause of one that lasts is not told again where it stands under what needs attention. */
function gapLine({ since, until, reason }: Gap, causeTold: boolean, times: Times): string {
  if (until === null && causeTold) return `since ${times.clock(since)}`;
  const cause = foreign(reason, times);
  if (until === null) return `since ${times.clock(since)}: ${cause}`;
  return `${times.span(since, until)} (${duration(until.getTime() - since.getTime())}): ${cause}`;
}

/** Rounded down, so that 100 % means all of it. */
function percentage(share: number): string {
  return `${Math.floor(share * 10_000) / 100} %`;
}

function moreOf(left: number, command: string): string {
  return `(and ${figure(left)} more; "invitewatch ${command}" lists them all)`;
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
