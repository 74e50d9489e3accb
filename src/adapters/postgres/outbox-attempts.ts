/** What is written around an attempt, for many mails in one statement: the bytes, that it begins, that it was accepted. */
import type { Attempted } from "../../app/store.ts";
import type { Prisma, PrismaClient } from "../../generated/prisma/client.ts";

export type Frozen = { readonly id: string; readonly subject: string; readonly mime: Buffer };

/** The bytes of each mail that had none; undefined for the others. */
export async function freezeMany(prisma: PrismaClient, mails: readonly Frozen[]): Promise<(Buffer | undefined)[]> {
  const ids = mails.map(({ id }) => id);
  const subjects = mails.map(({ subject }) => subject);
  const mimes = mails.map(({ mime }) => mime.toString("base64"));
  const rows = await prisma.$queryRaw<{ id: string }[]>`
    UPDATE notification n SET subject = frozen.subject, mime = decode(frozen.mime, 'base64')
    FROM unnest(${ids}::uuid[], ${subjects}::text[], ${mimes}::text[]) AS frozen (id, subject, mime)
    WHERE n.id = frozen.id AND n.mime IS NULL RETURNING n.id::text`;
  const taken = firstOf(rows);
  return mails.map(({ id, mime }) => (taken(id) ? mime : undefined));
}

export type Beginning = { readonly id: string; readonly attempts: number; readonly at: Date };

/** Whether each attempt begins. */
export async function beginMany(prisma: PrismaClient, attempts: readonly Beginning[]): Promise<boolean[]> {
  const rows = await prisma.$queryRaw<{ id: string }[]>`
    UPDATE notification n SET state = 'sending', attempts = n.attempts + 1, last_attempt_at = beginning.at
    FROM jsonb_to_recordset(${JSON.stringify(attempts)}::jsonb) AS beginning (id uuid, attempts integer, at timestamptz)
    WHERE n.id = beginning.id AND n.attempts = beginning.attempts AND n.state IN ('pending', 'sending')
    RETURNING n.id::text`;
  const begun = firstOf(rows);
  return attempts.map(({ id }) => begun(id));
}

const MAYBE_REPEATED = "it may be a repeat: an earlier attempt sent it and heard no answer";

export type Accepted = {
  readonly id: string;
  readonly at: Date;
  readonly response: string;
  readonly attempted: Attempted;
};

/** Writes the attempts and that they were accepted. */
export async function receiveAccepted(
  db: Pick<Prisma.TransactionClient, "$executeRaw">,
  accepted: readonly Accepted[],
): Promise<true[]> {
  const rows = accepted.map(({ id, at, response, attempted: { startedAt, way, outcome } }) => {
    const { stage, code, enhancedCode: enhanced_code, queueId: queue_id } = outcome;
    const duration_ms = Math.round(outcome.durationMs);
    return { id, at, response, started_at: startedAt, way, stage, code, enhanced_code, queue_id, duration_ms };
  });
  await db.$executeRaw`
    WITH accepted AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS rows (
        id uuid, at timestamptz, response text, started_at timestamptz, way text, stage text, code integer,
        enhanced_code text, queue_id text, duration_ms integer)
    ), attempted AS (
      INSERT INTO attempt (notification_id, number, started_at, way, stage, outcome, code, enhanced_code, queue_id,
        duration_ms, said)
      SELECT n.id, n.attempts, started_at, way, stage, 'accepted', code, enhanced_code, queue_id, duration_ms,
        accepted.response
      FROM accepted JOIN notification n ON n.id = accepted.id
      ON CONFLICT DO NOTHING
    )
    UPDATE notification n SET state = 'delivered', delivered_at = accepted.at, response = accepted.response,
      error = NULL, reason = CASE WHEN n.maybe_accepted THEN ${MAYBE_REPEATED} END, next_attempt_at = NULL,
      waits_for_relay = false
    FROM accepted WHERE n.id = accepted.id AND n.state = 'sending'`;
  return accepted.map(() => true);
}

/** Whether there is a row with the id, once for each. */
function firstOf(rows: readonly { readonly id: string }[]): (id: string) => boolean {
  const left = new Set(rows.map(({ id }) => id));
  return (id) => left.delete(id);
}
