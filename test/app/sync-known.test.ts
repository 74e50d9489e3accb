import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { runSync } from "../../src/app/sync.ts";
import { openLab } from "../support/lab.ts";
import { play, polls } from "../support/polls.ts";

test("reading only the invites that matter finds the same events as knowing them all", async (t) => {
  const lab = await openLab();
  t.after(lab.close);

  await fc.assert(
    fc.asyncProperty(polls, async (story) => {
      const plan = { ...lab.plan, watch: randomUUID() };
      for (const { input, result, after } of play(story)) {
        const { snapshot, whereabouts, now } = input;
        const source = { fetchSnapshot: async () => snapshot, locate: async () => whereabouts };
        const ports = { ...lab.ports, source, clock: { now: () => now } };

        const recording = await runSync(plan, ports, new AbortController().signal);

        const ofInvites = recording.events.filter(({ type }) => type !== "watch.blind" && type !== "watch.recovered");
        const drafts = ofInvites.map(({ type, inviteId, occurredAt, data }) => ({
          type,
          inviteId,
          occurredAt,
          data,
        }));
        const told = JSON.stringify(drafts).replaceAll(plan.watch, "default");
        assert.deepEqual(JSON.parse(told), JSON.parse(JSON.stringify(result.events)));
        assert.deepEqual(
          [...recording.newInvites, ...recording.changedInvites].map(({ id }) => id).sort(),
          result.invites.map(({ id }) => id),
        );
        const rows = await lab.database.prisma.invite.findMany({ where: { watchName: plan.watch } });
        const statuses = (invites: Iterable<{ id: string; status: string }>) =>
          Object.fromEntries([...invites].map(({ id, status }) => [id, status]));
        assert.deepEqual(statuses(rows), statuses(after.values()));
      }
    }),
    { numRuns: 30 },
  );
});
