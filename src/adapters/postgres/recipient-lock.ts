/** The lock under which it is decided what becomes of one recipient's mails, on all replicas. */
import { Prisma } from "../../generated/prisma/client.ts";

/** Taken by selecting it for rows that have a column `recipient`, until the transaction ends; before a watch's lock. */
export const RECIPIENT_LOCK = Prisma.sql`pg_advisory_xact_lock(hashtextextended('recipient ' || recipient, 0))::text AS locked`;
