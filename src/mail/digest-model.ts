/** What a digest is made from. */
import type { Gap } from "../domain/coverage.ts";
import type { EventType } from "../domain/event.ts";
import type { Invite } from "../domain/invite.ts";

/** How one watch stands, and what the period brought. */
export type DigestWatch = {
  readonly name: string;
  /** The end that comes first stands first; the first 20. */
  readonly pending: readonly Invite[];
  readonly pendingCount: number;
  /** Events of the period. */
  readonly happened: readonly { readonly type: EventType; readonly count: number }[];
  /** Those of the period; superseded ones count as neither. */
  readonly syncs: { readonly complete: number; readonly fellShort: number };
  /** 0 to 1, of the period. */
  readonly coverage: number;
  /** By their beginning. */
  readonly gaps: readonly Gap[];
  readonly blindSince: Date | null;
  /** Alerts that a silence holds. */
  readonly silenced: number;
  /** The newest link of its chain. */
  readonly head: { readonly seq: number; readonly hash: string };
};

export type DigestInput = {
  readonly recipient: string;
  /** The From header as configured. */
  readonly from: string;
  /** IANA zone of the recipient. */
  readonly timezone: string;
  /** When the mail is written; the end of the period. */
  readonly now: Date;
  /** The beginning of the period. */
  readonly since: Date;
  /** Those that the recipient is told of. */
  readonly watches: readonly DigestWatch[];
  /** Mail to anybody. */
  readonly mail: {
    readonly owed: number;
    readonly oldestOwedAt: Date | null;
    /** Given up in the period; the latest first, the first 20. */
    readonly dead: readonly {
      readonly recipient: string;
      readonly subject: string | null;
      /** Names of the organizations of some of the invitations that it was about; null where one has none. */
      readonly organizations: readonly (string | null)[];
      /** How many invitations it was about. */
      readonly invites: number;
      /** When it was given up. */
      readonly at: Date;
      readonly why: string;
    }[];
    readonly deadCount: number;
    /** In the period. */
    readonly delivered: number;
  };
};
