/** Rows that acts of people concern: mails that are owed and decisions not to mail. */
import { randomUUID } from "node:crypto";
import type { Event } from "../../../src/domain/event.ts";
import type { Prisma } from "../../../src/generated/prisma/client.ts";
import { at, type Seeded } from "./read-seed.ts";

/** Owes a mail about the watch's first event, unless said otherwise; its id. */
export async function owe(
  { database }: Pick<Seeded, "database">,
  given: Partial<Prisma.NotificationUncheckedCreateInput> = {},
): Promise<string> {
  const id = given.id ?? randomUUID();
  await database.prisma.notification.create({
    data: {
      id,
      watchName: "ops",
      recipient: "lead@example.com",
      kind: "invite.received",
      messageId: `${id}@example.com`,
      state: "pending",
      rules: ["default"],
      createdAt: at("08:05"),
      eventSeqs: [1],
      ...given,
    },
  });
  return id;
}

/** Notes that events are not mailed. */
export async function suppress(
  { database }: Pick<Seeded, "database">,
  given: Partial<Prisma.SuppressionUncheckedCreateInput> = {},
): Promise<void> {
  await database.prisma.suppression.create({
    data: {
      id: randomUUID(),
      watchName: "ops",
      reason: "minor change",
      detail: "only organizationName changed",
      eventSeqs: [1],
      decidedAt: at("08:05"),
      ...given,
    },
  });
}

/** Types and data of the watch's events, oldest first. */
export async function chainOf({ database }: Pick<Seeded, "database">, watch: string) {
  const rows = await database.prisma.event.findMany({ where: { watchName: watch }, orderBy: { seq: "asc" } });
  return rows.map(
    ({ type, inviteId, data }) => ({ type, inviteId, data }) as Pick<Event, "type" | "inviteId" | "data">,
  );
}
