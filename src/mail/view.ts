/**
 * What a mail says, decided once for its text and its HTML part. Every string is safe to show as it is;
 * escaping for HTML is the template's job.
 */
import type { Event, EventType } from "../domain/event.ts";
import type { Invite } from "../domain/invite.ts";
import { defang, quote } from "./defang.ts";
import { briefFactsOf, type Fact, factsOf, NAME_LENGTH } from "./facts.ts";
import { spellInstants } from "./fields.ts";
import { groupByInvite, type InviteNews } from "./group.ts";
import { headline } from "./headline.ts";
import { actionOf, inventoryLead, leadOf } from "./lead.ts";
import { formatReferences } from "./references.ts";
import { createTimes, type Times } from "./times.ts";
import { countByStatus, subjectOf, titleOf } from "./title.ts";

/** Invitations in one mail; the rest is "(and N more)". */
const MAX_ITEMS = 20;
const MAX_NOTES = 20;

export type MailInput = {
  readonly watch: string;
  readonly kind: "inventory" | EventType;
  /** IANA zone of the recipient. */
  readonly timezone: string;
  /** When the mail is written; what times left are counted from. */
  readonly now: Date;
  readonly recipient: string;
  /** The From header as configured. */
  readonly from: string;
  /** All events of this mail, in any order. */
  readonly events: readonly Event[];
  /** The invites that the events concern, as now known, by id. */
  readonly invites: ReadonlyMap<string, Invite>;
  /** Hash of the watch's last event after the sync, 64 hexadecimal digits. */
  readonly chainHead: string;
  readonly publicUrl: string | null;
};

export type ItemView = {
  /** Null where the mail's title says it already. */
  readonly headline: string | null;
  readonly tone: "urgent" | "open" | "closed";
  readonly facts: readonly Fact[];
};

export type SectionView = {
  readonly title: string | null;
  /** Counts of what the section holds. */
  readonly summary: string | null;
  readonly items: readonly ItemView[];
  /** What found no room: "(and 12 more)". */
  readonly more: string | null;
};

export type MailView = {
  readonly subject: string;
  readonly title: string;
  readonly lead: string;
  readonly sections: readonly SectionView[];
  /** Mails that did not reach their recipient. */
  readonly notes: readonly string[];
  /** What the reader can do about it. */
  readonly action: string;
  /** Page of this installation, where there is one. */
  readonly publicUrl: string | null;
  /** Where the mail comes from, why it was sent, how to look things up. */
  readonly footer: readonly Fact[];
};

/**
 * The content of one mail.
 *
 * @throws RangeError for a time zone that does not exist
 */
export function buildMailView(input: MailInput): MailView {
  const times = createTimes(input.timezone, input.now);
  const watchName = defang(input.watch, 40);
  const inventory = input.kind === "inventory";
  const news = groupByInvite(input.events, input.invites, input.now);
  const dead = input.events.filter((event) => event.type === "notification.dead");
  const titleInput = { inventory, news, dead: dead.length };

  return {
    subject: subjectOf(titleInput, times, watchName),
    title: titleOf(titleInput, times),
    lead: inventory ? inventoryLead(news) : leadOf(news, times),
    sections: inventory ? inventorySections(news, times, watchName) : newsSections(news, times, watchName),
    notes: notesOf(dead, times, watchName),
    action: actionOf(news),
    publicUrl: input.publicUrl,
    footer: footerOf(input, times, watchName),
  };
}

function newsSections(news: readonly InviteNews[], times: Times, watchName: string): readonly SectionView[] {
  if (news.length === 0) return [];
  const items = news.slice(0, MAX_ITEMS).map((one) => ({
    headline: news.length === 1 ? null : headline(one, times, NAME_LENGTH),
    tone: toneOf(one),
    facts: factsOf(one, times, watchName),
  }));
  return [{ title: null, summary: null, items, more: moreOf(news.length - items.length) }];
}

function inventorySections(news: readonly InviteNews[], times: Times, watchName: string): readonly SectionView[] {
  const groups = [
    { title: "Urgent", members: news.filter((one) => toneOf(one) === "urgent"), factsFor: factsOf },
    { title: "Pending", members: news.filter((one) => toneOf(one) === "open"), factsFor: factsOf },
    { title: "Already answered or over", members: news.filter((one) => !one.open), factsFor: briefFactsOf },
  ];

  let room = MAX_ITEMS;
  return groups
    .filter(({ members }) => members.length > 0)
    .map(({ title, members, factsFor }) => {
      const items = members.slice(0, room).map((one) => ({
        headline: headline(one, times, NAME_LENGTH),
        tone: toneOf(one),
        facts: factsFor(one, times, watchName),
      }));
      room -= items.length;
      const summary = factsFor === briefFactsOf ? countByStatus(members) : null;
      return {
        title: `${title} (${members.length.toLocaleString("en-US")})`,
        summary,
        items,
        more: moreOf(members.length - items.length),
      };
    });
}

/** Urgent is what is open and inside one of its thresholds. */
function toneOf({ invite, events, open }: InviteNews): ItemView["tone"] {
  if (!open) return "closed";
  const alerted = invite.alertedLeadMs !== null || events.some((event) => event.type === "invite.expiring");
  return alerted ? "urgent" : "open";
}

function moreOf(left: number): string | null {
  return left > 0 ? `(and ${left.toLocaleString("en-US")} more; "invitewatch history" lists them all)` : null;
}

function notesOf(dead: readonly Event<"notification.dead">[], times: Times, watchName: string): readonly string[] {
  const notes = dead.slice(0, MAX_NOTES).map(({ data, seq }) => {
    const reason = quote(spellInstants(data.reason, times), 300);
    return `A mail to ${defang(data.recipient, 100)} could not be delivered: ${reason} (${watchName}/${seq})`;
  });
  return dead.length > notes.length ? [...notes, moreOf(dead.length - notes.length) ?? ""] : notes;
}

function footerOf(input: MailInput, times: Times, watchName: string): readonly Fact[] {
  const seqs = input.events.map((event) => event.seq);
  const why = `${input.recipient} is a recipient of the watch ${quote(input.watch, 40)}`;
  const quoted =
    "Words in “quotation marks” come from outside. Addresses in them are altered, as in example[.]com, so that nothing there can be clicked.";
  return [
    { label: "Why you get this", value: why },
    { label: "Written", value: `${times.absolute(input.now)}; times left are counted from then` },
    { label: "Events", value: seqs.length === 0 ? "none" : formatReferences(watchName, seqs) },
    ...(input.kind === "inventory" ? [{ label: "Chain head", value: input.chainHead }] : []),
    { label: "Please note", value: quoted },
  ];
}
