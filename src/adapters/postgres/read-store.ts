/** Everything that is read for people; changes nothing. */
import type { Reader } from "../../app/queries.ts";
import { Prisma } from "../../generated/prisma/client.ts";
import type { Database } from "./open.ts";
import { readClockSkew } from "./read-clock.ts";
import { readDigestTrouble } from "./read-digest.ts";
import { listEvents, readChain, readChainEnds, readEventTypes, readMiscountedSync } from "./read-events.ts";
import { listInvites, readInvitesNamed } from "./read-invites.ts";
import { ask } from "./read-keyset.ts";
import { listNotifications } from "./read-notifications.ts";
import { readMailStatus, readWatchStatuses } from "./read-status.ts";
import { listSyncs, readLedger } from "./read-syncs.ts";

/** Its methods reject with DatabaseError where the database fails. */
export function createReader(database: Database): Reader {
  return {
    async watchNames() {
      const rows = await ask<{ name: string }>(database, Prisma.sql`SELECT name FROM watch ORDER BY name`);
      return rows.map((row) => row.name);
    },
    eventTypes: () => readEventTypes(database),
    invitesNamed: (text, watches, limit) => readInvitesNamed(database, text, watches, limit),
    invites: (filter, paging) => listInvites(database, filter, paging),
    events: (filter, paging) => listEvents(database, filter, paging),
    syncs: (filter, paging) => listSyncs(database, filter, paging),
    notifications: (filter, paging) => listNotifications(database, filter, paging),
    ledger: (watches, asked) => readLedger(database, watches, asked),
    clockSkewMs: () => readClockSkew(database),
    chainEnds: (watches) => readChainEnds(database, watches),
    chain: (watch) => readChain(database, watch),
    miscountedSync: (watch) => readMiscountedSync(database, watch),
    watchStatuses: (now) => readWatchStatuses(database, now),
    digestTrouble: () => readDigestTrouble(database),
    mailStatus: (overdueBefore) => readMailStatus(database, overdueBefore),
  };
}
