import assert from "node:assert/strict";
import { test } from "node:test";
import { inviteJson } from "../../src/domain/invite.ts";
import { planMails, silentBecause } from "../../src/domain/plan.ts";
import { after, event, invite } from "../support/build.ts";
import { HOUR } from "../support/durations.ts";

const received = (seq: number) =>
  event("invite.received", { invite: inviteJson(invite()), baseline: false, reinvited: false }, { seq });
const changed = (seq: number, ...fields: string[]) => {
  const changes = Object.fromEntries(fields.map((field) => [field, { from: "before", to: "after" }]));
  return event("invite.changed", { changes }, { seq });
};
const expiring = (seq: number) =>
  event("invite.expiring", { threshold: "6h", expiresAt: after(5 * HOUR).toISOString(), covers: [] }, { seq });

test("each recipient is owed one mail for all that a sync found", () => {
  const mails = planMails([received(4), expiring(5)], ["ops@example.com", "lead@example.com"]);

  assert.deepEqual(mails, [
    { recipient: "ops@example.com", kind: "invite.expiring", eventSeqs: [4, 5] },
    { recipient: "lead@example.com", kind: "invite.expiring", eventSeqs: [4, 5] },
  ]);
});

test("the kind of a mail is the type of its most urgent event, wherever that stands", () => {
  const withdrawn = event("invite.withdrawn", { evidence: "404" }, { seq: 2 });

  const [mail] = planMails([changed(1, "roles"), withdrawn, received(3)], ["ops@example.com"]);

  assert.equal(mail?.kind, "invite.received");
  assert.deepEqual(mail?.eventSeqs, [1, 2, 3]);
});

test("nothing that happened is no mail", () => {
  assert.deepEqual(planMails([], ["ops@example.com"]), []);
});

test("a moved end and changed roles are worth a mail", () => {
  assert.equal(silentBecause(changed(1, "expiresAt")), null);
  assert.equal(silentBecause(changed(1, "organizationName", "roles")), null);
});

test("any other change is recorded in silence, with the reason", () => {
  const renamed = changed(1, "organizationName", "invitedBy");

  assert.deepEqual(planMails([renamed], ["ops@example.com"]), []);
  assert.equal(silentBecause(renamed), "only organizationName, invitedBy changed");
});

test("a mail leaves out what is silent", () => {
  const [mail] = planMails([changed(1, "invitedBy"), received(2)], ["ops@example.com"]);

  assert.deepEqual(mail?.eventSeqs, [2]);
});

test("a baseline is one inventory mail that names every event of its sync", () => {
  const baseline = event("watch.baseline", { invites: 2, pending: 1 }, { seq: 1, inviteId: null });

  const mails = planMails([baseline, changed(2, "invitedBy"), received(3), expiring(4)], ["ops@example.com"]);

  assert.deepEqual(mails, [{ recipient: "ops@example.com", kind: "inventory", eventSeqs: [1, 2, 3, 4] }]);
});

test("a dead mail is no reason for a mail of its own", () => {
  const data = { by: "system", reason: "550", notificationId: "n", recipient: "gone@example.com" };

  assert.deepEqual(planMails([event("notification.dead", data, { inviteId: null })], ["ops@example.com"]), []);
});
