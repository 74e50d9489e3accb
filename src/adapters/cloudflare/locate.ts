/** Finds out what became of invites that are no longer listed: their own page first, then the memberships. */
import type { Invite } from "../../domain/invite.ts";
import type { Redactor } from "../../domain/redact.ts";
import type { Shortfall, Whereabouts } from "../../domain/snapshot.ts";
import type { Budget, Client } from "./client.ts";
import { CloudflareError, withoutAnswer } from "./failure.ts";
import { parseInvite, SURROGATE_PREFIX } from "./invite.ts";
import { idText, isObject } from "./json.ts";
import { type Listing, readListing } from "./listing.ts";
import { MASKED_ID_PREFIX } from "./mask.ts";
import { isShortened, quote } from "./text.ts";

type Membership = { readonly id: string; readonly accountId: string | null; readonly accepted: boolean };

/** The API's answer to a question by id: the invite, its own word that there is none, or no answer. */
type Detail =
  | Extract<Whereabouts, { kind: "found" | "unknown" }>
  | { readonly kind: "gone"; readonly evidence: string };

/** "No such route or id", which Cloudflare sends with 400 as well as with 404. */
const NO_SUCH_ID = 7003;

/**
 * The whereabouts of each invite, by id. One request after the other.
 *
 * After a refused credential, an exhausted rate limit, a network failure or the deadline nothing more
 * is asked, and what is left is `unknown` for the same reason.
 *
 * @param redact applied to what is said of each
 */
export async function locateInvites(
  client: Client,
  invites: readonly Invite[],
  redact: Redactor,
  budget: Budget,
): Promise<ReadonlyMap<string, Whereabouts>> {
  const found = new Map<string, Whereabouts>();
  let memberships: Promise<Listing<Membership>> | null = null;
  const readMemberships = () => {
    memberships ??= readListing(client, "/memberships?status=accepted", parseMembership, budget);
    return memberships;
  };
  let ended: Whereabouts | null = null;
  for (const invite of invites) {
    const whereabouts: Whereabouts = ended ?? (await locateOne(client, invite, readMemberships, budget));
    found.set(invite.id, withoutSecrets(whereabouts, redact));
    if (whereabouts.kind === "unknown" && endsAll(whereabouts.shortfall)) ended = whereabouts;
  }
  return found;
}

function withoutSecrets(whereabouts: Whereabouts, redact: Redactor): Whereabouts {
  if (whereabouts.kind === "unknown") {
    const { shortfall } = whereabouts;
    return { ...whereabouts, shortfall: { ...shortfall, reason: redact(shortfall.reason) } };
  }
  return "evidence" in whereabouts ? { ...whereabouts, evidence: redact(whereabouts.evidence) } : whereabouts;
}

function endsAll({ cause }: Shortfall): boolean {
  return cause !== "content" && cause !== "server";
}

async function locateOne(
  client: Client,
  invite: Invite,
  readMemberships: () => Promise<Listing<Membership>>,
  budget: Budget,
): Promise<Whereabouts> {
  const cannotAsk = whyNotAsked(invite.id);
  const detail: Detail =
    cannotAsk === null ? await askForInvite(client, invite.id, budget) : { kind: "gone", evidence: cannotAsk };
  if (detail.kind !== "gone") return detail;

  const { organizationId } = invite;
  if (organizationId === null) {
    return { kind: "absent", evidence: `${detail.evidence}; no organization to look for among the memberships` };
  }
  return judgeMemberships(await readMemberships(), organizationId, detail.evidence);
}

function whyNotAsked(id: string): string | null {
  if (id.startsWith(SURROGATE_PREFIX)) return "the API gave it no id to ask for";
  if (id.startsWith(MASKED_ID_PREFIX)) return "its id held the credential and was not kept";
  return isShortened(id) ? "its id is too long to be asked for" : null;
}

async function askForInvite(client: Client, id: string, budget: Budget): Promise<Detail> {
  const path = `/user/invites/${encodeURIComponent(id)}`;
  try {
    const { envelope, httpStatus, cfRay } = await client.get(path, budget);
    const invite = parseInvite(envelope.result);
    if (invite?.id === id) return { kind: "found", invite };
    const got =
      invite === null ? `a result that is no invite: ${quote(envelope.result)}` : `the invite ${quote(invite.id)}`;
    const reason = `GET ${path} answered with ${got}; it stays open, and the next sync asks again`;
    return { kind: "unknown", shortfall: { ...withoutAnswer("content", reason), httpStatus, cfRay } };
  } catch (error) {
    if (!(error instanceof CloudflareError)) throw error;
    const { httpStatus, code } = error.shortfall;
    if (error.fromApi && (httpStatus === 404 || (httpStatus === 400 && code === NO_SUCH_ID))) {
      const evidence = `GET ${path} answered ${httpStatus}${code === null ? "" : ` (code ${code})`}`;
      return { kind: "gone", evidence };
    }
    return { kind: "unknown", shortfall: { ...error.shortfall, reason: `GET ${path}: ${error.shortfall.reason}` } };
  }
}

function judgeMemberships(
  { rows, shortfall }: Listing<Membership>,
  organizationId: string,
  evidence: string,
): Whereabouts {
  const accepted = rows.filter((membership) => membership.accepted);
  if (accepted.some(({ accountId }) => accountId === organizationId)) {
    return { kind: "accepted", evidence: `${evidence}; its organization is among the accepted memberships` };
  }
  if (shortfall !== null) {
    return { kind: "unknown", shortfall: { ...shortfall, reason: `GET /memberships: ${shortfall.reason}` } };
  }
  return { kind: "absent", evidence: `${evidence}; not among ${accepted.length} accepted memberships` };
}

function parseMembership(raw: unknown): Membership | null {
  if (!isObject(raw)) return null;
  const accountId = isObject(raw.account) ? idText(raw.account.id) : null;
  const id = idText(raw.id) ?? accountId;
  const accepted = typeof raw.status !== "string" || raw.status.toLowerCase() === "accepted";
  return id === null ? null : { id, accountId, accepted };
}
