import assert from "node:assert/strict";

import { after, before, test } from "node:test";
import { storable } from "../../src/adapters/cloudflare/text.ts";
import type { EventDraft } from "../../src/domain/event.ts";
import {
  at,
  changedStatus,
  invite,
  notification,
  received,
  type Seeded,
  seededDatabase,
  sync,
} from "../adapters/postgres/read-seed.ts";
import { runCommand } from "../cli/command.ts";
import { corpus } from "./corpus.ts";

/** What a terminal would obey, line ends aside. */
const OBEYED = /[^\P{Cc}\r\n]|[\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\r(?!\n)/u;
/** Each text as the adapter keeps it, in every field that others write. */
const invites = corpus.map(({ text }, index) => {
  const kept = storable(text);
  return invite({
    id: `i${index}`,
    organizationName: kept,
    organizationId: kept,
    invitedBy: kept,
    invitedMemberEmail: kept,
    roles: [kept, kept],
    apiStatus: kept,
    extra: { [kept]: kept },
    oddities: [kept],
    firstSeenAt: new Date(at("08:05").getTime() + index),
  });
});

let seeded: Seeded;

before(async () => {
  seeded = await seededDatabase("ops");
  await seeded.invites(...invites);
  const drafts: EventDraft[] = invites.flatMap((one) => [
    received(one, at("08:05")),
    changedStatus(one.id, one.apiStatus ?? "", at("08:05")),
  ]);
  await seeded.events("ops", drafts);
  await seeded.syncs(...invites.map((one) => sync(at("19:00"), { outcome: "failed", reason: one.invitedBy })));
  await seeded.notifications(
    ...invites.map((one) => notification({ subject: one.invitedBy, response: one.invitedBy, error: one.invitedBy })),
  );
});

after(() => seeded.close());

for (const args of [["invites", "--all"], ["history"], ["syncs"], ["gaps"], ["notifications"], ["status"]]) {
  test(`nothing that strangers wrote is obeyed by a terminal (${args[0]})`, async () => {
    const formats = args[0] === "status" ? ["table", "json"] : ["table", "json", "ndjson", "csv"];
    for (const columns of [80, 200]) {
      for (const format of formats) {
        const options = { url: seeded.url, columns };
        const limit = ["status", "gaps"].includes(args[0] ?? "") ? [] : ["--limit", "1000"];

        const { stdout, stderr } = await runCommand([...args, ...limit, "--format", format], options);

        assert.doesNotMatch(stdout, OBEYED, format);
        assert.equal(stderr, "");
      }
    }
  });
}

test("invites give back what strangers wrote, in JSON and NDJSON to the letter", async () => {
  const wanted = new Map(invites.map(({ id, organizationName }) => [id, organizationName]));
  const { stdout: json } = await runCommand(["invites", "--all", "--limit", "1000", "--json"], { url: seeded.url });
  const { stdout: ndjson } = await runCommand(["invites", "--all", "--format", "ndjson"], { url: seeded.url });

  const fromLines = ndjson
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const rows of [JSON.parse(json).invites, fromLines]) {
    assert.equal(rows.length, invites.length);
    for (const { id, organizationName, invitedBy } of rows) {
      assert.deepEqual([organizationName, invitedBy], [wanted.get(id), wanted.get(id)], id);
    }
  }
});

test("every event's hash still fits what strangers wrote", async () => {
  const { code, stdout } = await runCommand(["verify"], { url: seeded.url });

  assert.equal(code, 0, stdout);
});

test("a mail is shown, whatever strangers wrote into it", async () => {
  const mails = await seeded.database.prisma.notification.findMany({ select: { id: true } });
  for (const { id } of mails.filter((_, index) => index % 5 === 0)) {
    for (const format of ["table", "json"]) {
      const { code, stdout } = await runCommand(["notifications", "show", id, "--format", format], { url: seeded.url });

      assert.equal(code, 0);
      assert.doesNotMatch(stdout, OBEYED, id);
    }
  }
});

test("an invitation is explained, whatever it is called", async () => {
  for (const { id } of invites.filter((_, index) => index % 5 === 0)) {
    const { stdout } = await runCommand(["explain", id], { url: seeded.url });

    assert.doesNotMatch(stdout, OBEYED, id);
  }
});
