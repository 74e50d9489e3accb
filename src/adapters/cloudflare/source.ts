/** The Cloudflare API as a source of invites: reads the list, asks for what vanished, checks the credential. */
import type { Clock, InviteSource } from "../../app/ports.ts";
import type { Credential } from "../../config/config.ts";
import { maskedLine } from "../../domain/one-line.ts";
import { createRedactor } from "../../domain/redact.ts";
import type { Shortfall } from "../../domain/snapshot.ts";
import { type Budget, createClient, type Outbound } from "./client.ts";
import { CloudflareError, withoutAnswer } from "./failure.ts";
import { parseInstant } from "./instant.ts";
import { parseInvite } from "./invite.ts";
import { isObject } from "./json.ts";
import { readListing } from "./listing.ts";
import { locateInvites } from "./locate.ts";

export type CloudflareSourceOptions = {
  readonly baseUrl: string;
  readonly outbound?: Outbound;
  readonly credential: Credential;
  readonly clock: Clock;
  /** Masks every secret of the configuration in what the API says of a failure. */
  readonly redact: (text: string) => string;
  /** A page that is larger once decompressed is not read; 32 MiB unless told. */
  readonly maxPageBytes?: number;
  /** The wait after a first failed attempt that says nothing of waiting; 1 s unless told. */
  readonly firstBackoffMs?: number;
  /** How long after its start a call is aborted by its signal: a wait that ends later is not begun. 120 s unless told. */
  readonly deadlineMs?: number;
};

/** What the API says of the credential itself. */
export type CredentialCheck =
  /** `status` is the API's: active, disabled or expired. `expiresAt` is null for a token without an end. */
  | { readonly kind: "verified"; readonly status: string; readonly expiresAt: Date | null }
  | { readonly kind: "failed"; readonly shortfall: Shortfall }
  | { readonly kind: "not_verifiable"; readonly reason: string };

export type CloudflareSource = InviteSource & {
  /** Asks the API whether the token is good. Never rejects for what the API or the network did. */
  checkCredential(signal: AbortSignal): Promise<CredentialCheck>;
  /** By how much our clock was ahead of the API's at the latest answer, in ms (± 1 s); null before the first. */
  clockSkewMs(): number | null;
};

const MAX_PAGE_BYTES = 32 * 1024 * 1024;

/** A source for the user that the credential belongs to. Opens no connection before it is asked. */
export function createCloudflareSource(options: CloudflareSourceOptions): CloudflareSource {
  const { credential, clock } = options;
  const mask = createRedactor([credential.kind === "token" ? credential.token : credential.key]);
  const redact = (text: string) => mask(options.redact(text));
  const told = (shortfall: Shortfall): Shortfall => ({ ...shortfall, reason: redact(shortfall.reason) });
  const client = createClient({
    baseUrl: options.baseUrl,
    outbound: options.outbound,
    credential,
    clock,
    mask,
    redact,
    maxPageBytes: options.maxPageBytes ?? MAX_PAGE_BYTES,
    firstBackoffMs: options.firstBackoffMs ?? 1000,
  });
  const budgetOf = (signal: AbortSignal): Budget => {
    const startsAtMs = performance.now();
    return { signal, startsAtMs, endsAtMs: startsAtMs + (options.deadlineMs ?? 120_000) };
  };

  return {
    async fetchSnapshot(signal) {
      const takenAt = clock.now();
      const listing = await readListing(client, "/user/invites", parseInvite, budgetOf(signal));
      const { rows, pages, totalCount } = listing;
      const shortfall = listing.shortfall && told(listing.shortfall);
      const taken = { takenAt, pages, totalCount, clockSkewMs: client.clockSkewMs() };
      if (shortfall === null) return { kind: "complete", ...taken, invites: rows };
      if (pages === 0) return { kind: "failed", ...taken, invites: [], shortfall };
      return { kind: "incomplete", ...taken, invites: rows, shortfall };
    },
    locate: (invites, signal) => locateInvites(client, invites, redact, budgetOf(signal)),
    async checkCredential(signal) {
      if (credential.kind === "key") {
        return { kind: "not_verifiable", reason: "an e-mail address and global key can only be verified by reading" };
      }
      try {
        const { envelope, httpStatus, cfRay } = await client.get("/user/tokens/verify", budgetOf(signal));
        const token = isObject(envelope.result) ? envelope.result : {};
        if (typeof token.status === "string") {
          const expiresAt = typeof token.expires_on === "string" ? parseInstant(token.expires_on) : null;
          return { kind: "verified", status: maskedLine(token.status, 100, redact), expiresAt };
        }
        const reason = "the API says nothing of the token's status: check it in the dashboard";
        return { kind: "failed", shortfall: { ...withoutAnswer("content", reason), httpStatus, cfRay } };
      } catch (error) {
        if (!(error instanceof CloudflareError)) throw error;
        return { kind: "failed", shortfall: told(error.shortfall) };
      }
    },
    clockSkewMs: () => client.clockSkewMs(),
  };
}
