import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Routable, type RouteMatch, recipientsOf } from "../../src/domain/routing.ts";
import { invite, route } from "../support/build.ts";

const OWN = ["ops@example.com"];
const LEGAL = ["legal@example.com"];

const acme = invite({
  watch: "ops",
  organizationId: "023e105f",
  organizationName: "Acme Labs",
  invitedBy: "amara@acme.example",
  roles: ["DNS", "Super Administrator"],
});
const unnamed = invite({ watch: "ops", organizationId: null, organizationName: null, invitedBy: null, roles: [] });

function received(about = acme): Routable {
  return { type: "invite.received", watch: about.watch, invite: about };
}

function people(event: Routable, ...routes: Parameters<typeof recipientsOf>[2]): readonly string[] {
  return recipientsOf(event, OWN, routes).map(({ recipient }) => recipient);
}

describe("a route that asks for", () => {
  const cases: readonly [words: string, match: Partial<RouteMatch>, met: boolean, about?: Routable][] = [
    ["nothing takes everything", {}, true],
    ["nothing takes what concerns no invite too", {}, true, { type: "watch.blind", watch: "ops", invite: null }],
    ["the watch by its name", { watch: ["ops"] }, true],
    ["the watch by a pattern", { watch: ["o*", "!other"] }, true],
    ["another watch", { watch: ["default"] }, false],
    ["an organization by its name", { organization: ["acme*"] }, true],
    ["an organization by its id", { organization: ["023e105f"] }, true],
    ["an organization by a part of its name without stars", { organization: ["Acme"] }, false],
    ["any organization but this one", { organization: ["!Acme Labs"] }, false],
    ["any organization but this one, by its id", { organization: ["*", "!023e*"] }, false],
    ["any organization but another", { organization: ["!Globex"] }, true],
    ["an organization where the API named none", { organization: ["*"] }, false, received(unnamed)],
    ["any organization but one, where the API named none", { organization: ["!Acme*"] }, true, received(unnamed)],
    ["the inviter's domain", { inviter: ["*@acme.example"] }, true],
    ["another domain", { inviter: ["*@globex.example"] }, false],
    ["an inviter where the API named none", { inviter: ["*"] }, false, received(unnamed)],
    ["any one of the roles", { role: ["*Admin*"] }, true],
    ["a role, and leaves out another that it has", { role: ["DNS", "!Super*"] }, false],
    ["a role that it has not", { role: ["Billing"] }, false],
    ["a role where there is none", { role: ["*"] }, false, received(unnamed)],
    ["the type", { type: ["invite.*", "!invite.changed"] }, true],
    ["the type and leaves this one out", { type: ["invite.*", "!invite.received"] }, false],
    ["several things, all of which it is", { organization: ["Acme*"], role: ["DNS"], watch: ["ops"] }, true],
    ["several things, one of which it is not", { organization: ["Acme*"], role: ["Billing"], watch: ["ops"] }, false],
  ];
  for (const [words, match, met, about = received()] of cases) {
    test(`${words} is ${met ? "" : "not "}met`, () => {
      assert.deepEqual(people(about, route(match)), met ? LEGAL : OWN);
    });
  }

  for (const type of ["watch.blind", "watch.recovered", "watch.baseline", "notification.dead"] as const) {
    test(`an invite is never met by ${type}, not even where it only leaves out`, () => {
      const event: Routable = { type, watch: "ops", invite: null };

      assert.deepEqual(people(event, route({ organization: ["*"] })), OWN);
      assert.deepEqual(people(event, route({ inviter: ["!x"] })), OWN);
      assert.deepEqual(people(event, route({ role: ["!x"] })), OWN);
    });
  }

  test("a type and a watch is met by an event that concerns no invite", () => {
    const event: Routable = { type: "watch.blind", watch: "ops", invite: null };

    assert.deepEqual(people(event, route({ type: ["watch.*"], watch: ["ops"] })), LEGAL);
  });
});

describe("the people of a watch", () => {
  test("are told where there are no routes", () => {
    assert.deepEqual(recipientsOf(received(), OWN, []), [{ recipient: "ops@example.com", rules: ["default"] }]);
  });

  test("are told where no route matches", () => {
    assert.deepEqual(people(received(), route({ watch: ["x"] }), route({ role: ["x"] }, { also: true })), OWN);
  });

  test("are told beside those of a route that says so", () => {
    assert.deepEqual(people(received(), route({}, { also: true })), [...OWN, ...LEGAL]);
  });

  test("are left out as soon as one matching route stands in their place", () => {
    const beside = route({}, { name: "routes[0]", to: ["a@example.com"], also: true });
    const instead = route({}, { name: "routes[1]", to: ["b@example.com"] });

    assert.deepEqual(people(received(), beside, instead), ["a@example.com", "b@example.com"]);
  });

  test("are not left out by a route that does not match", () => {
    const beside = route({}, { to: ["a@example.com"], also: true });
    const instead = route({ watch: ["x"] }, { to: ["b@example.com"] });

    assert.deepEqual(people(received(), beside, instead), [...OWN, "a@example.com"]);
  });
});

test("every route that matches adds its people, first to last", () => {
  const first = route({ watch: ["ops"] }, { name: "routes[0]", to: ["a@example.com", "b@example.com"] });
  const other = route({ watch: ["x"] }, { name: "routes[1]", to: ["c@example.com"] });
  const last = route({ role: ["DNS"] }, { name: "routes[2]", to: ["d@example.com"] });

  assert.deepEqual(people(received(), first, other, last), ["a@example.com", "b@example.com", "d@example.com"]);
});

test("a person whom several rules choose is told once, with all of them", () => {
  const beside = route({}, { name: "routes[0]", to: ["ops@example.com", "a@example.com"], also: true });
  const again = route({}, { name: "routes[1]", to: ["a@example.com"], also: true });

  assert.deepEqual(recipientsOf(received(), OWN, [beside, again]), [
    { recipient: "ops@example.com", rules: ["default", "routes[0]"] },
    { recipient: "a@example.com", rules: ["routes[0]", "routes[1]"] },
  ]);
});
