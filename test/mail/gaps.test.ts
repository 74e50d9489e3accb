import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Event } from "../../src/domain/event.ts";
import type { Invite } from "../../src/domain/invite.ts";
import type { Fact, ItemView, MailInput, MailView } from "../../src/mail/model.ts";
import { buildMailView } from "../../src/mail/view.ts";
import { event, expiring, inHours, invite, linksIn, mailInput, received } from "./samples.ts";

const since = "2026-11-22T09:15:00.000Z";
const until = "2026-11-22T12:20:00.000Z";
const reason = "HTTP 403, “Invalid access token” (9109): create a new user API token";

test("a blind watch has a subject of its own", () => {
  assert.equal(viewOf([blind(1)]).subject, "[ops] Blind since 10:15 CET: invitations cannot be read");
  assert.equal(
    viewOf([blind(1)], [], { watch: null }).subject,
    "Blind since 10:15 CET: invitations of “ops” cannot be read",
  );
  assert.equal(
    viewOf([{ ...blind(1), watch: "default" }], [], { watch: "default" }).title,
    "Blind since 10:15 CET: invitations cannot be read",
  );
});

test("a watch that sees again says after how long", () => {
  assert.equal(viewOf([recovered(2)]).subject, "[ops] Seeing again after 3 hours 5 minutes: invitations can be read");
});

test("a blind watch is told with its cause, what to do, since when, and what may end meanwhile", () => {
  const late = invite({ id: "a".repeat(32), organizationName: "Late", expiresAt: inHours(30) });
  const soon = invite({ id: "b".repeat(32), organizationName: "Soon", expiresAt: inHours(5) });

  const view = viewOf([blind(7, [late.id, "unheard-of", soon.id])], [late, soon]);

  assert.deepEqual(itemsOf(view), [
    {
      headline: null,
      tone: "urgent",
      facts: [
        { label: "Cause", value: reason },
        { label: "Blind since", value: "Sun 22 Nov 2026, 10:15 CET (09:15 UTC), 3 hours 45 minutes ago" },
        {
          label: "May end unseen",
          value: "“Soon”, ends Sun 22 Nov 2026, 19:00 CET (18:00 UTC), in 5 hours",
          more: ["“Late”, ends Mon 23 Nov 2026, 20:00 CET (19:00 UTC), in 1 day 6 hours", "invitation “unheard-of”"],
        },
        { label: "Reference", value: "ops/7" },
      ],
    },
  ]);
  assert.match(view.lead, /^New invitations and answers of the watch “ops” stay unnoticed/);
  assert.match(view.action, /"invitewatch check".*Cloudflare dashboard yourself:$/);
});

test("a watch that sees again is told with the gap and what ended inside it", () => {
  const lapsed = invite({ id: "a".repeat(32), status: "expired", expiresAt: inHours(-2) });
  const answered = invite({ id: "b".repeat(32), status: "accepted", expiresAt: inHours(-1) });

  const view = viewOf([recovered(8, [lapsed.id, answered.id])], [lapsed, answered]);

  assert.equal(
    factOf(view, "Blind")?.value,
    "3 hours 5 minutes, from Sun 22 Nov 2026, 10:15 CET (09:15 UTC) to Sun 22 Nov 2026, 13:20 CET (12:20 UTC)",
  );
  assert.deepEqual(factOf(view, "Ended inside it"), {
    label: "Ended inside it",
    value: "“Acme”, ended Sun 22 Nov 2026, 12:00 CET (11:00 UTC)",
    more: ["“Acme”, ended Sun 22 Nov 2026, 13:00 CET (12:00 UTC); now accepted"],
  });
});

test("where nothing is at risk the mail says so", () => {
  assert.equal(factOf(viewOf([blind(1)]), "May end unseen")?.value, "no pending invitation that is known");
  assert.equal(factOf(viewOf([recovered(1)]), "Ended inside it")?.value, "none that is known");
});

test("of many at risk the 20 that end first are named, and the rest is counted", () => {
  const many = Array.from({ length: 1030 }, (_, index) =>
    invite({ id: `${index}`.padStart(32, "0"), organizationName: `N${index}`, expiresAt: inHours(2000 - index) }),
  );
  const ids = many.map(({ id }) => id);

  const risk = factOf(viewOf([blind(1, ids)], many), "May end unseen");

  assert.match(risk?.value ?? "", /^“N1029”/);
  assert.match(risk?.more?.at(-2) ?? "", /^“N1010”/);
  assert.equal(risk?.more?.at(-1), "(and 1,010 more)");
});

test("only a last chance is more urgent than a blind watch, and seeing again less than what is open", () => {
  const [last, soon, fresh, over] = ["last", "soon", "fresh", "over"].map((organizationName, index) =>
    invite({ id: `${index}`.repeat(32), organizationName, status: index === 3 ? "accepted" : "pending" }),
  ) as [Invite, Invite, Invite, Invite];
  const outcome = event("invite.status_changed", 6, over, { from: "pending", to: "accepted", source: "list" });
  const gapBefore = event("watch.recovered", 5, null, { ...recoveredData(), since: "2026-11-20T09:15:00.000Z" });

  const view = viewOf(
    [outcome, gapBefore, received(4, fresh), expiring(3, soon), blind(2), expiring(1, last, "last-chance")],
    [last, soon, fresh, over],
  );

  assert.deepEqual(
    itemsOf(view).map(({ headline }) => headline?.replace(/(?:, ends| — ends) in .*?(?=:|$)/, "")),
    [
      "Last chance: invitation from “last”",
      "Blind since 10:15 CET: invitations of “ops” cannot be read",
      "Ends in 3 days 3 hours: invitation from “soon”",
      "New invitation from “fresh”",
      "Seeing again after 2 days 3 hours: invitations of “ops” can be read",
      "Invitation from “over” was accepted",
    ],
  );
  assert.equal(view.title, "4 invitations with news: 3 open, the first ends in 3 days 3 hours; blind since 10:15 CET");
});

test("beside other news the subject is of what is more urgent, and names both", () => {
  const acme = invite({ expiresAt: inHours(1) });

  assert.equal(
    viewOf([received(1, acme), blind(2)], [acme]).subject,
    "[ops] Blind since 10:15 CET: invitations cannot be read; 1 invitation with news",
  );
  assert.equal(
    viewOf([expiring(1, acme, "last-chance"), blind(2)], [acme]).subject,
    "[ops] Last chance, ends in 1 hour: invitation from “Acme”; blind since 10:15 CET",
  );
  assert.equal(
    viewOf([received(1, acme), recovered(2)], [acme]).subject,
    "[ops] New invitation from “Acme” — ends in 1 hour; seeing again after 3 hours 5 minutes",
  );
});

test("a gap that began and ended in one mail is told once, as over", () => {
  const view = viewOf([recovered(9), blind(3)]);

  assert.equal(itemsOf(view).length, 1);
  assert.equal(factOf(view, "Reference")?.value, "ops/3, ops/9");
  assert.match(view.subject, /Seeing again/);
});

test("several blind watches are named in one subject", () => {
  const view = viewOf([blind(3), { ...blind(4), watch: "lab" }], [], { watch: null });

  assert.equal(view.subject, "Blind since 10:15 CET: invitations of “lab”, “ops” cannot be read");
  assert.deepEqual(
    itemsOf(view).map(({ facts }) => facts[0]),
    [
      { label: "Watch", value: "“lab”" },
      { label: "Watch", value: "“ops”" },
    ],
  );
});

test("what a server said can be read to its end, and not clicked", () => {
  const said = `HTTP 502 with “${"x".repeat(400)} https://evil.example”: wait until 2026-11-22T18:00:00.000Z`;

  const cause = factOf(viewOf([event("watch.blind", 1, null, { ...blindData(), reason: said })]), "Cause")?.value ?? "";

  assert.ok(cause.endsWith("wait until Sun 22 Nov 2026, 19:00 CET (18:00 UTC)"));
  assert.deepEqual(linksIn(cause), []);
});

test("a mail shows each gap once, whatever the order of its events", () => {
  const gaps = fc.array(
    fc.record({ seen: fc.boolean(), day: fc.integer({ min: 1, max: 9 }), watch: fc.constantFrom("ops", "lab") }),
  );

  fc.assert(
    fc.property(gaps, (some) => {
      const events = some.map(({ seen, day, watch }, index) => {
        const start = { since: `2026-11-0${day}T09:15:00.000Z` };
        const gap = seen
          ? event("watch.recovered", index + 1, null, { ...recoveredData(), ...start })
          : event("watch.blind", index + 1, null, { ...blindData(), ...start });
        return { ...gap, watch };
      });

      const view = viewOf(events, [], { watch: null });

      const references = itemsOf(view).map(({ facts }) => facts.at(-1)?.value);
      assert.deepEqual(
        references,
        itemsOf(viewOf(events.toReversed(), [], { watch: null })).map(({ facts }) => facts.at(-1)?.value),
      );
      const distinct = new Set(some.map(({ day, watch }) => `${day} ${watch}`)).size;
      assert.equal(references.length, Math.min(10, distinct));
    }),
  );
});

function blindData(atRisk: readonly string[] = []) {
  return { reason, since, until: null, atRisk };
}

function recoveredData(atRisk: readonly string[] = []) {
  return { reason, since, until, atRisk };
}

function blind(seq: number, atRisk: readonly string[] = []): Event {
  return event("watch.blind", seq, null, blindData(atRisk));
}

function recovered(seq: number, atRisk: readonly string[] = []): Event {
  return event("watch.recovered", seq, null, recoveredData(atRisk));
}

function viewOf(
  events: readonly Event[],
  invites: readonly Invite[] = [],
  overrides: Partial<MailInput> = {},
): MailView {
  return buildMailView(mailInput(events, invites, overrides));
}

function itemsOf(view: MailView): readonly Pick<ItemView, "headline" | "tone" | "facts">[] {
  return view.sections.flatMap(({ items }) => items).map(({ headline, tone, facts }) => ({ headline, tone, facts }));
}

function factOf(view: MailView, label: string): Fact | undefined {
  return itemsOf(view)[0]?.facts.find((fact) => fact.label === label);
}
