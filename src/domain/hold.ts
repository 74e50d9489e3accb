/** Why a mail waits although it is owed, and until when. */
import type { Event, EventType } from "./event.ts";
import { hasEnded } from "./expiry.ts";
import type { Invite } from "./invite.ts";

/** `silence`: somebody asked for it. `flapping`: a status that goes back and forth. `flood`: too many mails an hour. `outage`: no mail server for hours. */
export type HoldCause = "silence" | "flapping" | "quiet-hours" | "flood" | "outage";

export type Hold = {
  readonly cause: HoldCause;
  readonly until: Date;
  /** One clause: "quiet hours until …". */
  readonly reason: string;
};

/** The longest that a hold of each kind lasts, in ms: what would be held for longer was held under a clock that ran ahead. */
export const LONGEST_HOLD_MS: Readonly<Record<HoldCause, number>> = {
  silence: Number.POSITIVE_INFINITY,
  flapping: 3_600_000,
  // A day on which clocks are put back.
  "quiet-hours": 25 * 3_600_000,
  flood: 3_600_000,
  outage: 3_600_000,
};

/** More changes of one invite's status than this within the window are damped. */
const TURNS_TOLD_AT_ONCE = 2;
export const FLAP_WINDOW_MS = 6 * 3_600_000;
/** How long a status must stand still before its latest change is told. */
const SETTLING_MS = 3_600_000;

/** Events that change what can be done about the invite: what goes back and forth when one flaps. */
export const TURNS: readonly EventType[] = ["invite.status_changed", "invite.withdrawn", "invite.returned"];

export function isTurn(event: Pick<Event, "type">): boolean {
  return TURNS.includes(event.type);
}

/**
 * The hold on a change of a status that keeps changing, or null. A reminder that comes with it waits with it.
 *
 * @param turns changes of the same invite's status within `FLAP_WINDOW_MS`, with this one
 */
export function dampingOf(event: Event, turns: number, now: Date): Hold | null {
  if (turns <= TURNS_TOLD_AT_ONCE || !(isTurn(event) || event.type === "invite.expiring")) return null;
  const until = new Date(now.getTime() + SETTLING_MS);
  return { cause: "flapping", until, reason: `its status changed ${turns} times within 6 hours` };
}

/** Whether the invite can still be answered now and cannot any more at the instant: its news must not wait so long. */
export function endsBy(invite: Invite | null, instant: Date, now: Date): boolean {
  return invite !== null && invite.status === "pending" && !hasEnded(invite, now) && hasEnded(invite, instant);
}
