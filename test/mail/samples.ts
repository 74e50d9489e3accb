/** Invites, events and mails for the tests of rendering, and what a reader or a mail program makes of a rendered mail. */
import { readdirSync, readFileSync } from "node:fs";
import { findPhoneNumbersInText } from "libphonenumber-js/max";
import { linkifyit } from "linkify-it";
import type { Event, EventDataByType, EventType } from "../../src/domain/event.ts";
import { type Invite, inviteJson } from "../../src/domain/invite.ts";
import type { MailInput, MailView } from "../../src/mail/model.ts";

export const now = new Date("2026-11-22T13:00:00Z");
const HOUR_MS = 3_600_000;
export const inHours = (hours: number): Date => new Date(now.getTime() + hours * HOUR_MS);
export const chainHead = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/** A pending invitation that ends in three days and three hours. */
export function invite(overrides: Partial<Invite> = {}): Invite {
  return {
    watch: "ops",
    id: "023e105f4ecef8ad9ca31a8372d0c353",
    status: "pending",
    apiStatus: "pending",
    organizationId: "4735819e4cb0a3f2c07f8e1b2d5a6c91",
    organizationName: "Acme",
    organizationEnforcesTwoFactor: true,
    invitedMemberId: null,
    invitedMemberEmail: "you@example.com",
    invitedBy: "amara.okafor@acme.example",
    roles: ["Administrator", "DNS"],
    invitedAt: new Date("2026-11-21T09:12:00Z"),
    expiresAt: new Date("2026-11-25T16:00:00Z"),
    fingerprint: "f",
    extra: null,
    oddities: [],
    firstSeenAt: now,
    lastChangedAt: now,
    listed: true,
    alertedLeadMs: null,
    missingSince: null,
    acknowledgedAt: null,
    calendarSequence: 0,
    cautions: [],
    ...overrides,
  };
}

/** A recorded event about one invite, or about none; of the invite's watch, else of "ops". */
export function event<T extends EventType>(
  type: T,
  seq: number,
  about: Invite | null,
  data: EventDataByType[T],
): Event {
  const watch = about?.watch ?? "ops";
  const recorded = { id: `event-${seq}`, watch, seq, recordedAt: now, syncId: "s", prevHash: "0", hash: "1" };
  return { ...recorded, type, inviteId: about?.id ?? null, occurredAt: now, data } as Event;
}

export function received(seq: number, about: Invite, baseline = false): Event {
  return event("invite.received", seq, about, { invite: inviteJson(about), baseline, reinvited: false });
}

export function expiring(seq: number, about: Invite, threshold = "24h", covers: readonly string[] = []): Event {
  const expiresAt = about.expiresAt?.toISOString() ?? "";
  return event("invite.expiring", seq, about, { threshold, expiresAt, covers });
}

/** A mail about these invites; `kind` is that of the first event. */
export function mailInput(
  events: readonly Event[],
  invites: readonly Invite[],
  overrides: Partial<MailInput> = {},
): MailInput {
  return {
    watch: "ops",
    kind: events[0]?.type ?? "inventory",
    timezone: "Europe/Berlin",
    now,
    recipient: "reader@example.org",
    from: "Invitewatch <invites@example.org>",
    events,
    invites,
    chainHead,
    heldBecause: [],
    earlier: [],
    ...overrides,
  };
}

export type HostileText = { readonly name: string; readonly text: string; readonly shown: string | null };

/** The corpus of texts as strangers might write them; `shown` is what a reader should see, where that is laid down. */
export function hostileTexts(): readonly HostileText[] {
  const folder = new URL("../fixtures/hostile/", import.meta.url);
  return readdirSync(folder).flatMap((file) => {
    const rows = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as {
      name: string;
      text: string;
      repeat?: number;
      shown?: string;
    }[];
    return rows.map(({ name, text, repeat = 1, shown }) => ({
      name: `${file}: ${name}`,
      text: text.repeat(repeat),
      shown: shown ?? null,
    }));
  });
}

const linkifier = linkifyit({ fuzzyLink: true, fuzzyEmail: true, fuzzyIP: true, urlAuth: true });

/** What an eager mail program would turn into links. */
export function linksIn(text: string): readonly string[] {
  return (linkifier.match(text) ?? []).map((match) => match.raw);
}

/** Countries whose telephone numbers people write without their code. */
const COUNTRIES = ["US", "GB", "DE", "FR", "JP", "IN", "BR", "AU"] as const;

/** What a telephone would dial. */
export function phonesIn(text: string): readonly string[] {
  return [undefined, ...COUNTRIES].flatMap((defaultCountry) =>
    findPhoneNumbersInText(text, { ...(defaultCountry && { defaultCountry }), extended: true })
      // Within Germany any four digits are a number.
      .filter(({ startsAt, number }) => /[+\uff0b]/.test(text.charAt(startsAt)) || number.nationalNumber.length >= 7)
      .map(({ startsAt, endsAt }) => text.slice(startsAt, endsAt)),
  );
}

/** What a reader sees of an HTML mail, on one line. */
export function visibleText(html: string): string {
  const body = html.slice(html.indexOf("<body")).replace(/<!--.*?-->/gs, "");
  const text = body.replace(/<[^>]*>/g, (tag) => (/^<\/?(?:span|bdi)\b/.test(tag) ? "" : " "));
  const entities: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };
  return oneLine(text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity] ?? entity));
}

/** On one line, and without the marks that isolate what is written from right to left. */
export function oneLine(text: string): string {
  return text
    .replace(/[\u2068\u2069]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** Every statement of a mail, as both of its parts have to make it. */
export function statementsOf(view: MailView): readonly string[] {
  return [
    view.title,
    view.lead,
    ...view.sections.flatMap(({ title, summary, items, more }) => [
      ...(title === null ? [] : [summary === null ? title : `${title}: ${summary}`]),
      ...items.flatMap((item) => [
        ...(item.headline === null ? [] : [item.headline]),
        ...item.facts.flatMap(({ label, value, more = [] }) => [`${label}: ${value}`, ...more]),
      ]),
      ...(more === null ? [] : [more]),
    ]),
    ...view.notes,
    view.action,
    "https://dash.cloudflare.com/",
    ...view.footer.map(({ label, value }) => `${label}: ${value}`),
  ];
}
