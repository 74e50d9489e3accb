/** Silences: alerts that somebody asked to be held, until when and why. */
import type { Invite } from "./invite.ts";

export type Silence = {
  readonly id: string;
  /** Null where it covers every watch. */
  readonly watch: string | null;
  /** What it covers: this invite, or else the organizations. */
  readonly inviteId: string | null;
  /** Part of the organization's name, or its exact id. */
  readonly organization: string | null;
  readonly until: Date;
  readonly reason: string;
  readonly by: string;
  readonly createdAt: Date;
  /** When somebody ended it before its time; null where nobody did. */
  readonly endedAt: Date | null;
};

export function isInForce(silence: Silence, now: Date): boolean {
  return silence.endedAt === null && silence.until > now;
}

/**
 * The silence that holds alerts of the invite for longest, or null.
 *
 * There is none for what concerns no invite: that a watch is blind is always told.
 *
 * @param silences in force
 */
export function silenceOf(invite: Invite | null, silences: readonly Silence[]): Silence | null {
  if (invite === null || silences.length === 0) return null;
  const covering = silences.filter((silence) => covers(silence, invite));
  return covering.reduce<Silence | null>(
    (longest, one) => (longest === null || one.until > longest.until ? one : longest),
    null,
  );
}

function covers({ watch, inviteId, organization }: Silence, invite: Invite): boolean {
  if (watch !== null && watch !== invite.watch) return false;
  if (inviteId !== null) return inviteId === invite.id;
  if (organization === null) return false;
  const name = invite.organizationName?.toLowerCase() ?? "";
  return invite.organizationId === organization || name.includes(organization.toLowerCase());
}
