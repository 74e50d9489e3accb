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

/** Mails that are owed in a database, and where they go to. */
export type MailJob = {
  readonly databaseUrl: string;
  /** Another database with fewer mails, to get warm with. */
  readonly warmUpUrl: string;
  readonly smtpUrl: string;
  readonly mails: number;
};

/** @see MailJob */
export const WARM_UP_MAILS = 200;

export type Owing = { readonly databaseUrl: string; readonly mails: number };

export type Deliveries = { readonly ms: number; readonly peakMb: number; readonly mails: number };

/** What a sync that finds many invites at once spends its time on. */
export type AlertsMeasurement = {
  readonly ms: number;
  readonly peakMb: number;
  /** Diff and record, without the fetch and without planning. */
  readonly recordMs: number;
  readonly planMs: number;
  /** All mails, read and rendered. */
  readonly renderMs: number;
  readonly mails: number;
};

export type AlertsJob = { readonly databaseUrl: string; readonly warmUpUrl: string; readonly invites: number };

export type LatencyJob = {
  readonly databaseUrl: string;
  readonly smtpUrl: string;
  readonly samples: number;
};

export type LatencyMeasurement = {
  readonly ms: number;
  readonly peakMb: number;
  /** From an invite's appearance to the acceptance of its mail, in ms. */
  readonly latencies: readonly number[];
  /** One read of the same list and one mail of the same size, one after the other, in ms. */
  readonly floors: readonly number[];
};

/** What the stand-in's process is asked for; it answers each with `ApiReady`. `add`: one more invite. */
export type ApiRequest =
  | { readonly kind: "fill"; readonly size: number }
  | { readonly kind: "change" }
  | { readonly kind: "add" };

export type ApiReady = { readonly url: string; readonly warmUpUrl: string; readonly token: string };

/** What the mail server's process is asked for; it answers with how many mails it has taken since it was asked last. */
export type MailServerRequest = { readonly kind: "count" };

export type MailServerAnswer = { readonly url: string; readonly taken: number };
