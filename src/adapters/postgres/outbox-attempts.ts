/** What is written around attempts, for many mails in one statement: that they start, and what came of them. */
import { bytesOf } from "../../app/composed-mail.ts";
import type { AttemptStart } from "../../app/delivery/outbox.ts";
import type { Attempted, Receipt } from "../../domain/delivery/attempt.ts";
import type { Sql } from "./open.ts";

/** Of each mail whose attempt starts the bytes that are kept, null for the others. @param starts of different mails */
export async function startAttempts(sql: Sql, starts: readonly AttemptStart[]): Promise<readonly (Buffer | null)[]> {
  // What mails have in common is brought to the database once.
  const commons = [...new Set(starts.map(({ common }) => common))];
  // In the order in which everybody locks mails, so that nobody waits crosswise.
  const { rows } = await sql.query<{ id: string; kept: Buffer | null }>(
    `WITH locked AS MATERIALIZED (
      SELECT id FROM notification WHERE id = ANY ($1::uuid[]) ORDER BY created_at, id FOR UPDATE
    )
    UPDATE notification n SET state = 'sending', attempts = n.attempts + 1, last_attempt_at = start.at,
      subject = CASE WHEN n.mime IS NULL THEN start.subject ELSE n.subject END, mime = coalesce(n.mime, start.own || ($6::bytea[])[start.common])
    FROM locked, unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::text[], $5::bytea[], $7::integer[], $8::boolean[])
      AS start (id, attempts, at, subject, own, common, only_if_well)
    WHERE n.id = start.id AND n.id = locked.id AND n.attempts = start.attempts AND n.state IN ('pending', 'sending')
      AND NOT (only_if_well AND EXISTS (SELECT FROM relay WHERE down_since IS NOT NULL))
    RETURNING n.id, nullif(n.mime, start.own || ($6::bytea[])[start.common]) AS kept`,
    [
      starts.map(({ id }) => id),
      starts.map(({ attempts }) => attempts),
      starts.map(({ at }) => at.toISOString()),
      starts.map(({ subject }) => subject),
      starts.map(({ own }) => own),
      commons,
      starts.map(({ common }) => commons.indexOf(common) + 1),
      starts.map(({ onlyIfWell }) => onlyIfWell),
    ],
  );
  const keptOf = new Map(rows.map(({ id, kept }) => [id, kept]));
  return starts.map((start) => {
    const kept = keptOf.get(start.id);
    return kept === undefined ? null : (kept ?? bytesOf(start));
  });
}

const MAYBE_REPEATED = "it may be a repeat: another attempt sent it and heard no answer";

/** The attempts of one mail and what comes of them; nothing where it is another attempt's to say. */
export type Result = { readonly id: string; readonly attempts: readonly Attempted[]; readonly receipt: Receipt | null };

/**
 * Writes the attempts and the receipts; what is delivered already keeps its receipt, and any other is written only of a
 * mail that is being sent by the last of the attempts.
 */
export async function writeResults(sql: Sql, results: readonly Result[]): Promise<void> {
  const attempts = results.flatMap((result) => result.attempts.map((attempted) => attemptRow(result.id, attempted)));
  const receipts = results.flatMap((result) => (result.receipt === null ? [] : [receiptRow(result, result.receipt)]));
  await sql.query(
    `WITH attempted AS (
      INSERT INTO attempt (notification_id, number, started_at, way, stage, outcome, cause, code, enhanced_code, queue_id,
        duration_ms, said)
      SELECT id, number, started_at, way, stage, outcome, cause, code, enhanced_code, queue_id, duration_ms, said
      FROM jsonb_to_recordset($1::jsonb) AS rows (
        id uuid, number integer, started_at timestamptz, way text, stage text, outcome text, cause text, code integer,
        enhanced_code text, queue_id text, duration_ms integer, said text)
      ON CONFLICT DO NOTHING
    )
    UPDATE notification n SET state = receipt.state, error = receipt.error, next_attempt_at = receipt.next_attempt_at,
      waits_for_relay = receipt.waits, maybe_accepted = n.maybe_accepted OR receipt.maybe_accepted,
      delivered_at = coalesce(receipt.delivered_at, n.delivered_at),
      response = coalesce(receipt.response, n.response),
      reason = CASE WHEN receipt.state = 'delivered' AND n.maybe_accepted THEN $3 ELSE receipt.reason END
    FROM jsonb_to_recordset($2::jsonb) AS receipt (
      id uuid, number integer, state text, error text, reason text, next_attempt_at timestamptz, waits boolean,
      maybe_accepted boolean, delivered_at timestamptz, response text)
    WHERE n.id = receipt.id AND CASE receipt.state WHEN 'delivered' THEN n.state <> 'delivered'
      ELSE n.state = 'sending' AND n.attempts = receipt.number END`,
    [JSON.stringify(attempts), JSON.stringify(receipts), MAYBE_REPEATED],
  );
}

function attemptRow(id: string, { number, startedAt, way, outcome }: Attempted) {
  const { kind, stage, code, enhancedCode, queueId, durationMs } = outcome;
  return {
    ...{ id, number, way, stage, code },
    started_at: startedAt,
    outcome: kind,
    cause: kind === "refused" ? outcome.what : kind === "failed" ? outcome.cause : null,
    enhanced_code: enhancedCode,
    queue_id: queueId,
    duration_ms: Math.round(durationMs),
    said: kind === "accepted" ? outcome.response : outcome.error,
  };
}

function receiptRow({ id, attempts }: Result, receipt: Receipt) {
  const last = attempts.at(-1);
  const outcome = last?.outcome;
  const about = { id, number: last?.number ?? 0, state: receipt.state, waits: false, maybe_accepted: false };
  switch (receipt.state) {
    case "delivered":
      return { ...about, delivered_at: receipt.at, response: receipt.response };
    case "pending": {
      const { error, nextAttemptAt, waitsForRelay } = receipt;
      const maybeAccepted = outcome?.kind === "failed" && outcome.cause === "unknown";
      return { ...about, error, next_attempt_at: nextAttemptAt, waits: waitsForRelay, maybe_accepted: maybeAccepted };
    }
    case "dead":
      return { ...about, error: receipt.error, reason: receipt.reason };
  }
}
