/** What a mail is made from, and what it says before it is written as text and as HTML. */
import type { Event, EventType } from "../domain/event.ts";
import type { Invite } from "../domain/invite.ts";

export type MailInput = {
  /** Null where the mail tells of several watches. */
  readonly watch: string | null;
  readonly kind: "inventory" | "summary" | EventType;
  /** IANA zone of the recipient. */
  readonly timezone: string;
  /** When the mail is written; what times left are counted from. */
  readonly now: Date;
  readonly recipient: string;
  /** The From header as configured. */
  readonly from: string;
  /** All events of this mail, of any watch, in any order. */
  readonly events: readonly Event[];
  /** As now known: those that the events concern, that a blind watch puts at risk, that a lost mail was about. */
  readonly invites: readonly Invite[];
  /** Hash of the watch's last event after the sync, 64 hexadecimal digits; told in an inventory. */
  readonly chainHead: string;
  /** Why the mail comes later than its events, each a noun phrase: "quiet hours"; empty where it does not. */
  readonly heldBecause: readonly string[];
  /** Message-IDs, without angle brackets, of earlier mails to this recipient about the one invite that this mail is about, oldest first. */
  readonly earlier: readonly string[];
};

/** What is the same for all who are told the same. */
export type Content = Omit<MailInput, "recipient" | "earlier">;

export type Fact = {
  readonly label: string;
  readonly value: string;
  /** Further lines under the value, where it is a list. */
  readonly more?: readonly string[];
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
  /** News that concern no single invitation, such as mail that did not reach its recipient. */
  readonly notes: readonly string[];
  /** What the reader can do about it. */
  readonly action: string;
  /** Where the mail comes from, why it was sent, how to look things up. */
  readonly footer: readonly Fact[];
};
