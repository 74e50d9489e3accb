/** What is written around an attempt, for many mails in one statement: the bytes and that it begins, that it was accepted. */
import type { Attempted, Beginning } from "../../app/store.ts";
import type { Sql } from "./open.ts";

/** Of each mail whose attempt begins the bytes that are kept, null for the others; undefined where it is asked for twice. */
export async function beginMany(sql: Sql, asked: readonly Beginning[]): Promise<(Buffer | null | undefined)[]> {
  const firsts = new Map(asked.toReversed().map((one) => [one.id, one]));
  const beginnings = [...firsts.values()];
  const { heads, tails, tailOf } = sharedTails(beginnings.map(({ mime }) => mime));
  const { rows } = await sql.query<{ id: string; kept: Buffer | null }>(
    `UPDATE notification n SET state = 'sending', attempts = n.attempts + 1, last_attempt_at = beginning.at,
      subject = CASE WHEN n.mime IS NULL THEN beginning.subject ELSE n.subject END,
      mime = coalesce(n.mime, beginning.head || ($7::bytea[])[beginning.tail])
    FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::text[], $5::bytea[], $6::integer[], $8::boolean[])
      AS beginning (id, attempts, at, subject, head, tail, only_if_well)
    WHERE n.id = beginning.id AND n.attempts = beginning.attempts AND n.state IN ('pending', 'sending')
      AND NOT (only_if_well AND EXISTS (SELECT FROM relay WHERE down_since IS NOT NULL))
    RETURNING n.id, nullif(n.mime, beginning.head || ($7::bytea[])[beginning.tail]) AS kept`,
    [
      beginnings.map(({ id }) => id),
      beginnings.map(({ attempts }) => attempts),
      beginnings.map(({ at }) => at.toISOString()),
      beginnings.map(({ subject }) => subject),
      heads,
      tailOf,
      tails,
      beginnings.map(({ onlyIfWell }) => onlyIfWell),
    ],
  );
  const keptOf = new Map(rows.map(({ id, kept }) => [id, kept]));
  return asked.map((one) => {
    if (firsts.get(one.id) !== one) return undefined;
    const kept = keptOf.get(one.id);
    return kept === undefined ? null : (kept ?? one.mime);
  });
}

/** Each mail in two, cut behind its header: what many have alike is brought to the database only once. */
function sharedTails(mimes: readonly Buffer[]) {
  const tails: Buffer[] = [];
  const cut = mimes.map((mime) => {
    const at = mime.indexOf("\r\n\r\n") + 1;
    const tail = mime.subarray(at);
    const known = tails.findIndex((one) => one.equals(tail));
    return { head: mime.subarray(0, at), tail: known >= 0 ? known + 1 : tails.push(tail) };
  });
  return { heads: cut.map(({ head }) => head), tails, tailOf: cut.map(({ tail }) => tail) };
}

const MAYBE_REPEATED = "it may be a repeat: another attempt sent it and heard no answer";

export type Accepted = {
  readonly id: string;
  readonly at: Date;
  readonly response: string;
  readonly attempted: Attempted;
};

/** Writes the attempts and that they were accepted; what is delivered already keeps its receipt. */
export async function receiveAccepted(sql: Sql, accepted: readonly Accepted[]): Promise<true[]> {
  const rows = accepted.map(({ id, at, response, attempted: { number, startedAt, way, outcome } }) => {
    const { stage, code, enhancedCode: enhanced_code, queueId: queue_id } = outcome;
    const duration_ms = Math.round(outcome.durationMs);
    return { id, at, response, number, started_at: startedAt, way, stage, code, enhanced_code, queue_id, duration_ms };
  });
  await sql.query(
    `WITH accepted AS (
      SELECT * FROM jsonb_to_recordset($1::jsonb) AS rows (
        id uuid, at timestamptz, response text, number integer, started_at timestamptz, way text, stage text,
        code integer, enhanced_code text, queue_id text, duration_ms integer)
    ), attempted AS (
      INSERT INTO attempt (notification_id, number, started_at, way, stage, outcome, code, enhanced_code, queue_id,
        duration_ms, said)
      SELECT id, number, started_at, way, stage, 'accepted', code, enhanced_code, queue_id, duration_ms, response
      FROM accepted
      ON CONFLICT DO NOTHING
    )
    UPDATE notification n SET state = 'delivered', delivered_at = accepted.at, response = accepted.response,
      error = NULL, reason = CASE WHEN n.maybe_accepted THEN $2 END, next_attempt_at = NULL,
      waits_for_relay = false
    FROM accepted WHERE n.id = accepted.id AND n.state <> 'delivered'`,
    [JSON.stringify(rows), MAYBE_REPEATED],
  );
  return accepted.map(() => true);
}
