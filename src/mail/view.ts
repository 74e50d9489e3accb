/**
 * What a mail says, decided once for its text and its HTML part. Every string is safe to show as it is;
 * escaping for HTML is the template's job.
 */
import type { Event } from "../domain/event.ts";
import { inviteKey } from "../domain/invite.ts";
import type { CalendarAttachment } from "./calendar.ts";
import { quote } from "./defang.ts";
import { briefFactsOf, factsOf, NAME_LENGTH, type Telling, watchName } from "./facts.ts";
import { type Gap, gapFacts, gapHeadline, gapLead, gapsOf } from "./gaps.ts";
import { groupByInvite, type InviteNews, RANK } from "./group.ts";
import { headline } from "./headline.ts";
import { actionOf, heldSentence, inventoryLead, leadOf } from "./lead.ts";
import type { Content, Fact, ItemView, MailView, SectionView } from "./model.ts";
import { moreOf, notesOf, noticeLead } from "./notices.ts";
import { formatReferences } from "./references.ts";
import { createTimes } from "./times.ts";
import { countByStatus, subjectOf, titleOf } from "./title.ts";

/** Invitations in one mail; the rest is "(and N more)". */
const MAX_ITEMS = 20;
/** Gaps in one mail: a watch that cannot be read again and again is told of once more, not twenty times. */
const MAX_GAPS = 10;
const MAX_WATCHES = 5;

/** What the items of one mail are made of. */
type Material = {
  readonly news: readonly InviteNews[];
  readonly gaps: readonly Gap[];
  readonly input: Content;
  readonly telling: Telling;
};

/**
 * The content of one mail.
 *
 * @param calendars the files that go with it
 * @throws RangeError for a time zone that does not exist
 */
export function buildMailView(input: Content, calendars: readonly CalendarAttachment[] = []): MailView {
  const { watch, kind, events, now } = input;
  const times = createTimes(input.timezone, now);
  const news = groupByInvite(events, input.invites, now);
  const gaps = gapsOf(events);
  const telling = { times, severalWatches: watch === null, dated: kind === "summary" };
  const material = { news, gaps, input, telling };
  const titleInput = { kind, news, gaps, events };

  return {
    subject: subjectOf(titleInput, times, watch === null ? null : watchName(watch)),
    title: titleOf(titleInput, times, { nameLength: NAME_LENGTH, named: watch !== "default" }),
    lead: leadSentences(material),
    sections: kind === "inventory" ? inventorySections(material) : newsSections(material),
    notes: notesOf(events, input.invites, times),
    action: actionOf(news, gaps, calendars),
    footer: footerOf(input, telling),
  };
}

function leadSentences({ news, gaps, input, telling: { times } }: Material): string {
  const [first, ...others] = news;
  const { kind, heldBecause, watch, events } = input;
  const sentences: string[] = [];
  if (kind === "inventory") sentences.push(inventoryLead(news));
  else if (first !== undefined) sentences.push(leadOf([first, ...others], times));
  if (gaps.length > 0) sentences.push(gapLead(gaps, watch !== "default"));
  if (sentences.length === 0) sentences.push(noticeLead(events));
  if (heldBecause.length > 0) sentences.push(heldSentence(heldBecause, kind === "summary", times));
  return sentences.join(" ");
}

/** Invitations and gaps in one order of urgency. */
function newsSections({ news, gaps, input, telling }: Material): readonly SectionView[] {
  const shown = news.slice(0, MAX_ITEMS);
  const alone = shown.length + gaps.length === 1;
  const items = [
    ...gapItems({ news, gaps, input, telling }, alone),
    ...shown.map((one) => ({
      rank: one.rank,
      headline: alone ? null : headline(one, telling.times, NAME_LENGTH),
      tone: toneOf(one),
      facts: alone || one.open || !telling.dated ? factsOf(one, telling) : briefFactsOf(one, telling),
    })),
  ].sort((a, b) => a.rank - b.rank);
  const left = news.length - shown.length + Math.max(0, gaps.length - MAX_GAPS);
  if (items.length === 0) return [];
  return [{ title: null, summary: null, items, more: left > 0 ? moreOf(left) : null }];
}

function gapItems({ gaps, input, telling }: Material, alone: boolean): readonly (ItemView & { rank: number })[] {
  if (gaps.length === 0) return [];
  const invites = new Map(input.invites.map((invite) => [inviteKey(invite), invite]));
  return gaps.slice(0, MAX_GAPS).map((gap) => ({
    rank: gap.blind ? RANK.blind : RANK.recovered,
    headline: alone ? null : gapHeadline([gap], telling.times, input.watch !== "default"),
    tone: gap.blind ? "urgent" : "closed",
    facts: gapFacts(gap, invites, input.now, telling),
  }));
}

function inventorySections(material: Material): readonly SectionView[] {
  const { news, telling } = material;
  const groups = [
    { title: "Urgent", members: news.filter((one) => toneOf(one) === "urgent"), factsFor: factsOf },
    { title: "Pending", members: news.filter((one) => toneOf(one) === "open"), factsFor: factsOf },
    { title: "Already answered or over", members: news.filter((one) => !one.open), factsFor: briefFactsOf },
  ];

  let room = MAX_ITEMS;
  const sections = groups
    .filter(({ members }) => members.length > 0)
    .map(({ title, members, factsFor }) => {
      const items = members.slice(0, room).map((one) => ({
        headline: headline(one, telling.times, NAME_LENGTH),
        tone: toneOf(one),
        facts: factsFor(one, telling),
      }));
      room -= items.length;
      const left = members.length - items.length;
      return {
        title: `${title} (${members.length.toLocaleString("en-US")})`,
        summary: factsFor === briefFactsOf ? countByStatus(members) : null,
        items,
        more: left > 0 ? moreOf(left) : null,
      };
    });
  const gaps = gapItems(material, false);
  return gaps.length === 0 ? sections : [{ title: null, summary: null, items: gaps, more: null }, ...sections];
}

/** Urgent is what is open and inside one of its thresholds. */
function toneOf({ invite, events, open }: InviteNews): ItemView["tone"] {
  if (!open) return "closed";
  const alerted = invite.alertedLeadMs !== null || events.some((event) => event.type === "invite.expiring");
  return alerted ? "urgent" : "open";
}

function footerOf(input: Content, { times }: Telling): readonly Fact[] {
  const { watch, events } = input;
  const quoted =
    "Words in “quotation marks” come from outside. Addresses in them are altered, as in example[.]com, so that nothing there can be clicked.";
  return [
    {
      label: "Why you get this",
      value: `the address that it was sent to is a recipient of ${watchesPhrase(watch, events)}`,
    },
    { label: "Written", value: `${times.absolute(input.now)}; times left are counted from then` },
    { label: "Events", value: events.length === 0 ? "none" : formatReferences(events, watchName) },
    ...(input.kind === "inventory" ? [{ label: "Chain head", value: input.chainHead }] : []),
    { label: "Please note", value: quoted },
  ];
}

function watchesPhrase(watch: string | null, events: readonly Event[]): string {
  if (watch !== null) return `the watch ${quote(watch, 40)}`;
  const names = [...new Set(events.map((event) => event.watch))].sort();
  const shown = names.slice(0, MAX_WATCHES).map((name) => quote(name, 40));
  const left = names.length - shown.length;
  return `several watches: ${shown.join(", ")}${left > 0 ? ` (and ${left} more)` : ""}`;
}
