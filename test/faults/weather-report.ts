/** What is wrong with what the weather left behind. */
import type { Client } from "pg";
import type { Expected } from "./lives.ts";
import { chainFaults, mailFaults } from "./outcome.ts";
import type { AcceptedMail } from "./post-office.ts";

/** A watch, with the events of each of its invites as the API's script made them. */
export type Told = {
  readonly watch: string;
  readonly recipients: readonly string[];
  readonly expected: ReadonlyMap<string, readonly Expected[]>;
  readonly removed: ReadonlySet<string>;
};

export type Recorded = {
  readonly watch: string;
  readonly seq: number;
  readonly inviteId: string;
  readonly what: Expected;
};

/** The events of invites, oldest first. */
export async function readRecorded(client: Client): Promise<Recorded[]> {
  const { rows } = await client.query<Recorded>(`
    SELECT watch, seq, invite_id AS "inviteId",
      CASE type WHEN 'invite.status_changed' THEN concat_ws(' ', type, data->>'to') ELSE type END AS what
    FROM event WHERE invite_id IS NOT NULL ORDER BY watch, event.seq`);
  return rows;
}

/** Whether all is recorded, and nothing is owed: asked in this order, since what is recorded may yet be owed. */
export async function isQuiet(client: Client, told: readonly Told[]): Promise<boolean> {
  if (historyFaults(await readRecorded(client), told).length > 0) return false;
  const { rows } = await client.query<{ owed: number }>(`
    SELECT count(*)::int AS owed FROM notification WHERE state IN ('pending', 'sending')`);
  return rows[0]?.owed === 0;
}

/** @param url without anything in between */
export async function weatherFaults(
  client: Client,
  url: string,
  told: readonly Told[],
  accepted: readonly AcceptedMail[],
): Promise<string[]> {
  const recorded = await readRecorded(client);
  return [
    ...historyFaults(recorded, told),
    ...(await chainFaults(url)),
    ...(await rowFaults(client)),
    ...(await mailFaults(client, accepted, () => Number.POSITIVE_INFINITY)),
    ...(await tellingFaults(client, recorded, told, accepted)),
  ];
}

/** Each event that the script made is there once, in its order, and none beside. */
function historyFaults(recorded: readonly Recorded[], told: readonly Told[]): string[] {
  const found = Map.groupBy(recorded, ({ watch, inviteId }) => `${watch} ${inviteId}`);
  const faults: string[] = [];
  for (const { watch, expected, removed } of told) {
    for (const [id, events] of expected) {
      const key = `${watch} ${id}`;
      const whats = (found.get(key) ?? []).map(({ what }) => what);
      found.delete(key);
      if (whats.includes("invite.withdrawn") && !removed.has(id)) faults.push(`reported gone and is not: ${key}`);
      if (whats.join() !== events.join()) {
        faults.push(`recorded ${whats.join(", ") || "nothing"} and not ${events.join(", ")}: ${key}`);
      }
    }
  }
  return [...faults, ...[...found.keys()].map((key) => `recorded, and never was there: ${key}`)];
}

/** Rows that must not be, whatever happened. */
export async function rowFaults(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ fault: string }>(`
    SELECT concat_ws(' ', 'mail', id, 'to', recipient, 'is', state, 'after', attempts, 'attempts:', reason, error) AS fault
    FROM notification WHERE NOT (state = 'delivered' OR (state = 'cancelled' AND reason IS NOT NULL))
    UNION ALL
    SELECT concat_ws(' ', 'sync', id, 'says', events, 'events and has', (SELECT count(*) FROM event WHERE sync_id = sync.id))
    FROM sync WHERE events <> (SELECT count(*) FROM event WHERE sync_id = sync.id)
    UNION ALL
    SELECT concat_ws(' ', watch, 'has', count(*), 'baselines') FROM event WHERE type = 'watch.baseline'
    GROUP BY watch HAVING count(*) <> 1`);
  return rows.map(({ fault }) => fault);
}

/** Each recipient was told each event by a mail, or it is written why not; what is delivered was accepted. */
async function tellingFaults(
  client: Client,
  recorded: readonly Recorded[],
  told: readonly Told[],
  accepted: readonly AcceptedMail[],
): Promise<string[]> {
  const { rows: delivered } = await client.query<{ id: string }>(
    "SELECT message_id AS id FROM notification WHERE state = 'delivered'",
  );
  const { rows: suppressed } = await client.query<{ watch: string; recipient: string | null; seq: number }>(
    "SELECT watch, recipient, unnest(event_seqs) AS seq FROM suppression",
  );
  const acceptedIds = new Set(accepted.map(({ messageId }) => messageId));
  const tellings = new Set([
    ...accepted.flatMap(({ recipient, events }) => referencesOf(events).map((event) => `${recipient} ${event}`)),
    ...suppressed.map(({ recipient, watch, seq }) => `${recipient ?? "anybody"} ${watch}/${seq}`),
  ]);
  const recipientsOf = new Map(told.map(({ watch, recipients }) => [watch, recipients]));
  return [
    ...delivered.filter(({ id }) => !acceptedIds.has(id)).map(({ id }) => `delivered, and nobody accepted it: ${id}`),
    ...recorded.flatMap(({ watch, seq, what }) =>
      (recipientsOf.get(watch) ?? [])
        .filter((recipient) => !["anybody", recipient].some((who) => tellings.has(`${who} ${watch}/${seq}`)))
        .map((recipient) => `${recipient} was never told ${watch}/${seq} (${what})`),
    ),
  ];
}

/** `ops/1, ops/4-6` → ops/1, ops/4, ops/5, ops/6 */
function referencesOf(header: string): string[] {
  return header.split(", ").flatMap((reference) => {
    const match = /^(.+)\/(\d+)(?:-(\d+))?$/.exec(reference);
    if (match === null) return [];
    const [, watch, from, to = from] = match;
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => `${watch}/${Number(from) + index}`);
  });
}
