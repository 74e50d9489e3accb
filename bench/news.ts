/** Syncs without a network: what they find is made up here, and everything after that is invitewatch's own. */
import { randomUUID } from "node:crypto";
import { parseInvite } from "../src/adapters/cloudflare/invite.ts";
import type { InviteSource } from "../src/app/ports.ts";
import type { SyncStore } from "../src/app/store.ts";
import { runSync } from "../src/app/sync.ts";
import { apiInstant, sampleInvite } from "../src/demo/sample-invite.ts";
import type { ListedInvite } from "../src/domain/invite.ts";
import { messageIdFor } from "../src/mail/headers.ts";

const HOUR_MS = 3_600_000;

export const FROM = "invites@example.com";

/** So many invitations that came an hour ago and end in four days. */
export function invitations(count: number): readonly ListedInvite[] {
  const invitedAt = Date.now() - HOUR_MS;
  const instants = { invited_on: apiInstant(invitedAt), expires_on: apiInstant(invitedAt + 4 * 24 * HOUR_MS) };
  return Array.from({ length: count }, (_, number) => {
    const invite = parseInvite(sampleInvite(instants, number));
    if (invite === null) throw new Error("a sample could not be read");
    return invite;
  });
}

export function recipients(count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => `person${number}@example.com`);
}

/** Records a sync that found these invites, with what is owed to the recipients for it. */
export function record(invites: readonly ListedInvite[], to: readonly string[], store: SyncStore) {
  const source: InviteSource = {
    fetchSnapshot: async () => ({
      kind: "complete",
      takenAt: new Date(),
      pages: 1,
      clockSkewMs: null,
      totalCount: invites.length,
      invites,
    }),
    locate: async () => new Map(),
  };
  const plan = {
    watch: "default",
    audience: { recipients: to, routes: [], quietHours: null },
    rules: { thresholds: [{ kind: "lead", name: "24h", ms: 24 * HOUR_MS } as const], intervalMs: HOUR_MS / 4 },
    deadlineMs: 120_000,
    messageId: (id: string, recipient: string) => messageIdFor(id, recipient, FROM),
  };
  const ports = { source, store, clock: { now: () => new Date() }, newId: randomUUID };
  return runSync(plan, ports, new AbortController().signal);
}
