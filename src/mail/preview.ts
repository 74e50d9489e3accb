/** Every kind of mail, rendered with sample data: what `mail preview` shows. */
import type { Event } from "../domain/event.ts";
import type { Invite } from "../domain/invite.ts";
import { renderDigest } from "./digest.ts";
import type { DigestWatch } from "./digest-model.ts";
import type { MailInput } from "./model.ts";
import { createSamples, HOSTILE, ORDINARY, type Samples } from "./preview-samples.ts";
import { type RenderedMail, renderMail } from "./render.ts";
import { renderTestMail } from "./test-mail.ts";

export type PreviewSettings = {
  /** The From header. */
  readonly from: string;
  readonly recipient: string;
  /** IANA zone of the recipient. */
  readonly timezone: string;
  readonly now: Date;
};

export type Preview = {
  /** Fit for a file's name. */
  readonly name: string;
  readonly title: string;
  readonly mail: RenderedMail;
};

const CHAIN_HEAD = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/**
 * Each kind of mail with ordinary data, and right behind it with hostile data.
 *
 * @throws RangeError for a time zone that does not exist
 */
export function renderPreviews(settings: PreviewSettings): readonly Preview[] {
  const ordinary = previewsOf(createSamples(ORDINARY, settings.now), settings);
  const hostile = previewsOf(createSamples(HOSTILE, settings.now), settings);
  return [
    ...ordinary.flatMap((preview, index) => {
      const twin = hostile[index] ?? preview;
      // A mail in which nobody else's words stand is the same twice.
      if (twin.mail.text === preview.mail.text) return [preview];
      return [preview, { ...twin, name: `${twin.name}-hostile`, title: `${twin.title}, hostile data` }];
    }),
    {
      name: "test",
      title: "Test mail",
      mail: renderTestMail({ ...settings, recipients: [settings.recipient] }),
    },
  ];
}

function previewsOf(samples: Samples, settings: PreviewSettings): readonly Preview[] {
  const { events, invites, inHours } = samples;
  const preview = (name: string, title: string, mail: RenderedMail): Preview => ({ name, title, mail });
  const about = (list: readonly Event[], known: Readonly<Record<string, Invite>> = invites, given = {}) =>
    renderMail(inputOf(list, Object.values(known), settings, given));
  const accepted = {
    ...invites,
    fresh: { ...invites.fresh, status: "accepted", apiStatus: "accepted", listed: false },
  };
  const ended = { status: "expired", apiStatus: "pending", expiresAt: inHours(-0.25) };
  const expired = { ...invites, over: { ...invites.over, ...ended } };
  const held = { kind: "summary", watch: null, heldBecause: ["quiet hours"] } as const;
  const lab = { ...events.received, watch: "lab", id: "lab", seq: 7 } as Event;
  return [
    preview("invite.received", "New invitation", about([events.received])),
    preview("cautions", "New invitation that asks for a second look", about([events.receivedSoon, events.expiring])),
    preview("invite.expiring", "Reminder", about([events.expiring])),
    preview("invite.expiring-last-chance", "Last chance", about([events.lastChance])),
    preview("invite.status_changed", "Outcome", about([events.accepted], accepted)),
    preview("invite.changed", "Change", about([events.changed])),
    preview("invite.expired", "Expired", about([events.expired], expired)),
    preview("invite.withdrawn", "Withdrawn", about([events.withdrawn])),
    preview("invite.returned", "Listed again", about([events.returned])),
    preview("invite.unrecognised", "Something unknown", about([events.unrecognised])),
    preview("several", "Several events of one sync", about(severalOf(samples))),
    preview("inventory", "Inventory", about(baselineOf(samples), invites, { kind: "inventory" })),
    preview("summary", "Summary after quiet hours", about([...severalOf(samples), lab], withLab(invites), held)),
    preview("dead", "Mail that did not arrive, told in the next one", about([events.received, events.dead])),
    preview("watch.blind", "Blind watch", about([events.blind])),
    preview("watch.recovered", "Watch recovered", about([events.recovered], expired)),
    preview("digest-quiet", "Digest of a quiet week", digestOf(samples, settings, false)),
    preview("digest-busy", "Digest of a busy week", digestOf(samples, settings, true)),
  ];
}

function inputOf(
  events: readonly Event[],
  invites: readonly Invite[],
  { from, recipient, timezone, now }: PreviewSettings,
  given: Partial<MailInput>,
): MailInput {
  return {
    watch: "ops",
    kind: events[0]?.type ?? "inventory",
    timezone,
    now,
    recipient,
    from,
    events,
    invites,
    chainHead: CHAIN_HEAD,
    heldBecause: [],
    earlier: [],
    ...given,
  };
}

function severalOf({ events }: Samples): readonly Event[] {
  const { lastChance, receivedSoon, received, unrecognised, withdrawn } = events;
  return [lastChance, receivedSoon, received, unrecognised, withdrawn];
}

function baselineOf({ events, now, invites }: Samples): readonly Event[] {
  const { received, lastChance, expiring } = events;
  const baseline = { ...received, type: "watch.baseline", inviteId: null, seq: 1, data: { invites: 5, pending: 3 } };
  const first = Object.values(invites).map((invite, index) => {
    const data = { ...received.data, baseline: true };
    return { ...received, id: `first-${index}`, inviteId: invite.id, seq: index + 2, occurredAt: now, data };
  });
  return [baseline, ...first, expiring, lastChance] as readonly Event[];
}

function withLab(invites: Samples["invites"]): Readonly<Record<string, Invite>> {
  return { ...invites, lab: { ...invites.fresh, watch: "lab" } };
}

function digestOf(samples: Samples, settings: PreviewSettings, busy: boolean): RenderedMail {
  const { now, inHours, invites, texts } = samples;
  const { fresh, soon, last } = invites;
  const quiet: DigestWatch = {
    name: "ops",
    pending: [],
    pendingCount: 0,
    happened: [],
    syncs: { complete: 672, fellShort: 0 },
    coverage: 1,
    gaps: [],
    blindSince: null,
    silenced: 0,
    head: { seq: 57, hash: CHAIN_HEAD },
  };
  const gap = { watch: "ops", since: inHours(-40), until: inHours(-37), reason: texts.reason, syncs: 12 };
  const eventful: DigestWatch = {
    ...quiet,
    pending: [last, soon, fresh],
    pendingCount: 3,
    happened: [
      { type: "invite.received", count: 4 },
      { type: "invite.withdrawn", count: 1 },
    ],
    syncs: { complete: 660, fellShort: 12 },
    coverage: 0.982,
    gaps: [gap],
    silenced: 2,
  };
  const blind: DigestWatch = { ...quiet, name: "lab", coverage: 0.9, blindSince: inHours(-3) };
  const dead = {
    recipient: "former.colleague@example.com",
    subject: "[ops] 2 invitations need attention",
    organizations: texts.names.slice(0, 2),
    invites: 2,
    at: inHours(-20),
    why: `refused for good: the mail server mail.example.com:587 refuses the recipient; check the address, and that its mailbox takes mail: 550 5.1.1 no such mailbox: ${texts.names[0]}`,
  };
  return renderDigest({
    ...settings,
    since: inHours(-7 * 24),
    now,
    watches: busy ? [eventful, blind] : [quiet],
    mail: busy
      ? { owed: 1, oldestOwedAt: inHours(-2), dead: [dead], deadCount: 1, delivered: 6 }
      : { owed: 0, oldestOwedAt: null, dead: [], deadCount: 0, delivered: 0 },
  });
}
