/** What the demo's story is made of. */
import type { Scene } from "./cast.ts";

/** Something that happens at Cloudflare; `now` is the story's. */
export type Act = (scene: Scene, now: Date) => void;

export type Step = {
  /** One or two sentences for the screen. */
  readonly title: string;
  /** One after the other; after each, invitewatch looks. */
  readonly acts: readonly Act[];
  /** What lands in the mailbox: the kind, and the recipient where it is not ops@example.com. */
  readonly mails: readonly string[];
  /** The time of day (UTC) at which its first act comes, hours later; such a step is not played live. */
  readonly at?: string;
  /** How far its acts are apart; a usual stretch where it is not said. */
  readonly apartMs?: number;
  /** Whether its mails are worth reading whole though others of their kind came before. */
  readonly worthReading?: true;
  /** What somebody runs before its acts: arguments of `bin/invitewatch`. */
  readonly command?: readonly string[];
  /** Whether the digest's hour has come. */
  readonly digest?: true;
};

/** Nothing happens; invitewatch looks all the same. */
export const lookAgain: Act = () => {};
