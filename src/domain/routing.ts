/** Who is told of an event: the watch's own people, and those of the routes that match. */
import type { Event } from "./event.ts";
import type { Invite } from "./invite.ts";
import { isLeftOut, matches } from "./pattern.ts";

/** Patterns by what they are held against; null where the route does not ask. All that are given must match. */
export type RouteMatch = {
  readonly watch: readonly string[] | null;
  /** The organization's name or its id. */
  readonly organization: readonly string[] | null;
  /** Who invited, as the API gives it. */
  readonly inviter: readonly string[] | null;
  /** Any one of the roles; one that is left out leaves the invite out. */
  readonly role: readonly string[] | null;
  readonly type: readonly string[] | null;
};

export type Route = {
  /** Where it stands in the configuration: `routes[0]`. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly to: readonly string[];
  /** Beside the watch's own people rather than in their place. */
  readonly also: boolean;
};

/** The rule that stands for the watch's own recipients. */
export const DEFAULT_RULE = "default";

/** One who is told, and the rules because of which. */
export type Routed = { readonly recipient: string; readonly rules: readonly string[] };

/** What routing looks at. */
export type Routable = {
  readonly type: Event["type"];
  readonly watch: string;
  readonly invite: Pick<Invite, "organizationName" | "organizationId" | "invitedBy" | "roles"> | null;
};

/**
 * Everybody who is told of the event, each once.
 *
 * Every route that matches adds its people. The watch's own are left out only where a route matched that is not
 * beside them; where none matches it is them.
 *
 * @param own the watch's own recipients
 */
export function recipientsOf(event: Routable, own: readonly string[], routes: readonly Route[]): readonly Routed[] {
  const matching = routes.filter((route) => routeMatches(route.match, event));
  const rulesOf = new Map<string, string[]>();
  const add = (people: readonly string[], rule: string) => {
    for (const person of people) {
      const rules = rulesOf.get(person);
      if (rules === undefined) rulesOf.set(person, [rule]);
      else rules.push(rule);
    }
  };
  if (matching.every((route) => route.also)) add(own, DEFAULT_RULE);
  for (const route of matching) add(route.to, route.name);
  return [...rulesOf].map(([recipient, rules]) => ({ recipient, rules }));
}

/** By these a person first hears of an invite. */
const NEWS: readonly Event["type"][] = ["invite.received", "invite.expiring"];

/**
 * Whether the person was told of the invite only by routes that exclude (`!`) the event's type.
 *
 * Routes that do not match the invite count only where none of the person's does: the invite may have changed since.
 *
 * @param own the watch's own recipients
 */
export function isExcluded(person: string, event: Routable, own: readonly string[], routes: readonly Route[]): boolean {
  const theirs = routes.filter(({ to }) => to.includes(person));
  const matching = theirs.filter(({ match }) => routeMatches({ ...match, type: null }, event));
  const counting = matching.length > 0 ? matching : theirs;
  if (counting.length === 0 || !counting.every(({ match }) => isLeftOut(match.type ?? [], event.type))) return false;
  const toldByDefault = ({ recipient, rules }: Routed) => recipient === person && rules.includes(DEFAULT_RULE);
  return !NEWS.some((type) => recipientsOf({ ...event, type }, own, routes).some(toldByDefault));
}

/** A condition on an invite is not met by an event that concerns none. */
function routeMatches(match: RouteMatch, { type, watch, invite }: Routable): boolean {
  const asksForInvite = match.organization !== null || match.inviter !== null || match.role !== null;
  if (asksForInvite && invite === null) return false;
  const meets = (patterns: readonly string[] | null, values: readonly (string | null)[]) =>
    patterns === null ||
    matches(
      patterns,
      values.filter((value) => value !== null),
    );
  return (
    meets(match.watch, [watch]) &&
    meets(match.type, [type]) &&
    meets(match.organization, [invite?.organizationName ?? null, invite?.organizationId ?? null]) &&
    meets(match.inviter, [invite?.invitedBy ?? null]) &&
    meets(match.role, invite?.roles ?? [])
  );
}
