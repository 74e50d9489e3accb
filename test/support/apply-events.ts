/** What someone knows who reads nothing but the events: an oracle that shares no code with the diff. */
import type { EventDraft } from "../../src/domain/event.ts";
import type { InviteFields } from "../../src/domain/invite.ts";
import type { Json } from "../../src/domain/json.ts";

/** An invite's status and the fields whose change is told, in their public form; roles sorted, for they are a set. */
export type Told = { readonly status: string; readonly fields: { readonly [name: string]: Json } };

/** The state after the events, which must come in the order of the chain. Events without an invite change nothing. */
export function applyEvents(
  before: ReadonlyMap<string, Told>,
  events: readonly EventDraft[],
): ReadonlyMap<string, Told> {
  const state = new Map(before);
  for (const event of events) {
    if (event.inviteId === null) continue;
    state.set(event.inviteId, applyEvent(state.get(event.inviteId), event));
  }
  return state;
}

function applyEvent(told: Told | undefined, event: EventDraft): Told {
  if (event.type === "invite.received" || event.type === "invite.returned") {
    const { status, ...fields } = event.data.invite;
    return { status, fields: toldFields(fields) };
  }
  if (told === undefined) throw new Error(`${event.type} of an invite that was never received`);
  switch (event.type) {
    case "invite.status_changed":
      if (event.data.from !== told.status)
        throw new Error(`status_changed from ${event.data.from}, which was ${told.status}`);
      return { ...told, status: event.data.to };
    case "invite.expired":
      return { ...told, status: "expired" };
    case "invite.withdrawn":
      return { ...told, status: "withdrawn" };
    case "invite.changed": {
      const changed = Object.entries(event.data.changes).map(([name, { to }]) => [name, to] as const);
      return { ...told, fields: { ...told.fields, ...toldFields(Object.fromEntries(changed)) } };
    }
    default:
      return told;
  }
}

/** The invite's fields as events tell them. */
export function fieldsOf(invite: InviteFields): Told["fields"] {
  return toldFields(JSON.parse(JSON.stringify(invite)) as { [name: string]: Json });
}

const NAMES = [
  "organizationId",
  "organizationName",
  "organizationEnforcesTwoFactor",
  "invitedMemberId",
  "invitedMemberEmail",
  "invitedBy",
  "roles",
  "invitedAt",
  "expiresAt",
];

function toldFields(fields: { readonly [name: string]: Json }): Told["fields"] {
  const known = Object.entries(fields).filter(([name]) => NAMES.includes(name));
  return Object.fromEntries(known.map(([name, value]) => [name, Array.isArray(value) ? [...value].sort() : value]));
}
