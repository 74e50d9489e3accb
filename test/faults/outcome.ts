/** What a run of the job left behind, without what may differ: ids, instants, and how often a mail was repeated. */
import type { Client } from "pg";
import { openDatabase } from "../../src/adapters/postgres/open.ts";
import { createReader } from "../../src/adapters/postgres/read-store.ts";
import { verifyDatabase } from "../../src/app/verify.ts";
import { DAY } from "../support/durations.ts";
import type { AcceptedMail } from "./post-office.ts";

export type Outcome = {
  readonly events: readonly string[];
  readonly invites: readonly string[];
  readonly notifications: readonly string[];
  /** Each mail once. */
  readonly mails: readonly string[];
};

export async function readOutcome(client: Client, accepted: readonly AcceptedMail[]): Promise<Outcome> {
  const list = async (sql: string) =>
    (await client.query<{ line: string }>(sql)).rows.map(({ line }) => timeless(line));
  return {
    events: await list(
      "SELECT concat_ws(' ', watch, seq, type, invite_id, data) AS line FROM event ORDER BY watch, event.seq",
    ),
    invites: await list(`
      SELECT (to_jsonb(invite) - '{first_seen_at,last_changed_at,missing_since}'::text[])::text AS line
      FROM invite ORDER BY watch, id`),
    notifications: await list(`
      SELECT concat_ws(' ', recipient, kind, state, event_seqs) AS line FROM notification ORDER BY 1`),
    mails: [...new Set(accepted.map(nameOf))].sort(),
  };
}

/** The text without the instants of the run itself. */
function timeless(text: string): string {
  const isRecent = (instant: string) => Math.abs(Date.parse(instant) - Date.now()) < DAY;
  return text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (instant) => (isRecent(instant) ? "now" : instant));
}

/** To whom it went and what it told. */
function nameOf({ recipient, kind, events }: AcceptedMail): string {
  return `${recipient} ${kind} ${events}`;
}

/** How the outcome differs, in sentences. */
export function differences(outcome: Outcome, reference: Outcome): string[] {
  return (["events", "invites", "notifications", "mails"] as const).flatMap((what) => {
    const found = outcome[what];
    const expected = reference[what];
    const missing = expected.filter((line) => !found.includes(line)).map((line) => `${what}: missing: ${line}`);
    const surplus = found.filter((line) => !expected.includes(line)).map((line) => `${what}: surplus: ${line}`);
    const twice = found.length - new Set(found).size - (expected.length - new Set(expected).size);
    return [...missing, ...surplus, ...(twice === 0 ? [] : [`${what}: ${twice} too many of the same`])];
  });
}

/** What is wrong with the chains, as the command `verify` says it. */
export async function chainFaults(url: string): Promise<string[]> {
  const database = await openDatabase(url, "reader");
  try {
    const verdict = await verifyDatabase(createReader(database), null, null);
    return verdict.kind === "whole" ? [] : [`the chain is broken: ${verdict.sentence}`];
  } finally {
    await database.close();
  }
}

/**
 * What is wrong with the mails that came more than once, with their ids, and with what the receipts say of it.
 *
 * @param repeatable Message-IDs of the mails that may come again, each as often as it says
 */
export async function mailFaults(
  client: Client,
  accepted: readonly AcceptedMail[],
  repeatable: (messageId: string) => number,
): Promise<string[]> {
  const { rows } = await client.query<{ id: string; noted: boolean }>(
    "SELECT message_id AS id, maybe_accepted AS noted FROM notification",
  );
  const noted = new Map(rows.map((row) => [row.id, row.noted]));
  const faults = [...Map.groupBy(accepted, nameOf)].flatMap(([name, copies]) => {
    const id = copies[0]?.messageId ?? "";
    return [
      ...(copies.some(({ messageId }) => messageId !== id) ? [`came with more than one Message-ID: ${name}`] : []),
      ...(copies.some(({ bytes }) => bytes !== copies[0]?.bytes) ? [`came with other bytes: ${name}`] : []),
      ...(copies.length > 1 && noted.get(id) === false ? [`came twice, and its receipt does not say so: ${name}`] : []),
      ...(copies.length > 1 + repeatable(id) ? [`came ${copies.length} times, for no reason: ${name}`] : []),
    ];
  });
  const strangers = accepted.filter(({ messageId }) => !noted.has(messageId));
  return [...faults, ...strangers.map((mail) => `came with a Message-ID that no notification has: ${nameOf(mail)}`)];
}
