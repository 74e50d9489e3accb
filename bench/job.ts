/** What the benchmark and the processes that it starts say to each other. */

/** `cold`: all invites are new. `unchanged`: the same list again. `changed`: one invite in a hundred has a new end. */
export type Case = "cold" | "unchanged" | "changed";

export const CASES: readonly Case[] = ["cold", "unchanged", "changed"];

/** `ours` is invitewatch; `floor` the least that anybody would do; `naive` what one writes by hand. */
export type Program = "ours" | "floor" | "naive";

export const PROGRAMS: readonly Program[] = ["ours", "floor", "naive"];

/** One measurement: one program, one case, in a process of its own. */
export type Job = {
  readonly case: Case;
  /** The API to be measured with. */
  readonly apiUrl: string;
  /** The same with a short list, to get warm with. */
  readonly warmUpUrl: string;
  readonly token: string;
  readonly databaseUrl: string;
};

export type Measurement = {
  readonly ms: number;
  /** The most memory that the process ever had resident, in MiB. */
  readonly peakMb: number;
  /** Rows of the list that it read. */
  readonly invites: number;
  /** Events that it recorded; null where it records none. */
  readonly events: number | null;
};

/** What the stand-in's process is asked for; it answers each with `ApiReady`. */
export type ApiRequest = { readonly kind: "fill"; readonly size: number } | { readonly kind: "change" };

export type ApiReady = { readonly url: string; readonly warmUpUrl: string; readonly token: string };
