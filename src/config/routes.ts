/** The routes of the configuration file, and those that would never tell anybody of anything. */
import { matches } from "../domain/pattern.ts";
import type { Route } from "../domain/routing.ts";
import { EVENT_TYPES, isAboutInvite, MAILED_TYPES } from "./event-types.ts";
import type { ConfigFile, FileValues } from "./file.ts";
import type { Path } from "./file-tree.ts";
import { nearest } from "./nearest.ts";
import { type Problem, quoted } from "./problem.ts";
import { type Spell, whole } from "./recipients.ts";

type FileRoute = NonNullable<NonNullable<FileValues["routes"]>[number]>;
type Match = NonNullable<FileRoute["match"]>;

/** @param names of the watches; null where not all of them are known */
export function readRoutes(
  file: ConfigFile,
  names: readonly string[] | null,
  spell: Spell,
): { readonly routes: readonly Route[]; readonly problems: readonly Problem[] } {
  const routes: Route[] = [];
  const problems: Problem[] = [];
  for (const [index, route] of (file.values.routes ?? []).entries()) {
    const path = ["routes", index, "match"];
    if (route?.match === undefined) continue;
    problems.push(...matchProblems(route.match, { file, path, names }));
    routes.push(routeOf(`routes[${index}]`, route.match, route, spell));
  }
  return { routes, problems };
}

function routeOf(name: string, match: Match, { to, also }: FileRoute, spell: Spell): Route {
  const { watch, organization, inviter, role, type } = match;
  const patterns = (list: Match["watch"]) => whole(list) ?? null;
  return {
    name,
    match: {
      watch: patterns(watch),
      organization: patterns(organization),
      inviter: patterns(inviter),
      role: patterns(role),
      type: patterns(type),
    },
    to: spell(whole(to) ?? []),
    also: also ?? false,
  };
}

type Place = { readonly file: ConfigFile; readonly path: Path; readonly names: readonly string[] | null };

function matchProblems(match: Match, { file, path, names }: Place): readonly Problem[] {
  if (Object.keys(match).length === 0) {
    const message = "It asks for nothing. Accepted: one or more of watch, organization, inviter, role and type.";
    return [file.problem(path, message)];
  }
  const problems = [...watchProblems(match.watch, { file, path, names }), ...typeProblems(match.type, { file, path })];
  if (problems.length > 0 || !asksForInvite(match)) return problems;
  const types = MAILED_TYPES.filter((type) => matches(whole(match.type) ?? [], [type]));
  if (types.some(isAboutInvite)) return [];
  const message = `It never matches: events of type ${types.join(", ")} have no organization, inviter or role.`;
  return [file.problem(path, message)];
}

function asksForInvite({ organization, inviter, role }: Match): boolean {
  return organization !== undefined || inviter !== undefined || role !== undefined;
}

function watchProblems(patterns: Match["watch"], { file, path, names }: Place): readonly Problem[] {
  if (patterns === undefined || names === null) return [];
  const known = `Watches: ${names.join(", ")}.`;
  const problems = patterns.flatMap((pattern, index) => {
    if (pattern === undefined || takesSome(pattern, names)) return [];
    const meant = nearest(pattern.replace(/^!/, ""), names)?.name;
    return [
      file.problem(placeOf(file, [...path, "watch"], index), `No watch matches; did you mean ${meant}? ${known}`),
    ];
  });
  if (problems.length > 0 || names.some((name) => matches(whole(patterns) ?? [], [name]))) return problems;
  return [file.problem([...path, "watch"], `No watch is left by these patterns together. ${known}`)];
}

function typeProblems(patterns: Match["type"], { file, path }: Omit<Place, "names">): readonly Problem[] {
  if (patterns === undefined) return [];
  const known = `Types that are mailed: ${MAILED_TYPES.join(", ")}.`;
  const problems = patterns.flatMap((pattern, index) => {
    if (pattern === undefined || takesSome(pattern, pattern.startsWith("!") ? EVENT_TYPES : MAILED_TYPES)) return [];
    const isKnown = takesSome(pattern, EVENT_TYPES);
    const meant = nearest(pattern.replace(/^!/, ""), MAILED_TYPES)?.name ?? "";
    const fault = isKnown
      ? "No mail is sent of such events by themselves."
      : `No event has such a type; did you mean ${quoted(meant)}?`;
    return [file.problem(placeOf(file, [...path, "type"], index), `${fault} ${known}`)];
  });
  if (problems.length > 0 || MAILED_TYPES.some((type) => matches(whole(patterns) ?? [], [type]))) return problems;
  return [file.problem([...path, "type"], `No type that is mailed is left by these patterns together. ${known}`)];
}

/** Whether the pattern is about some of the values, be it that it takes them or leaves them out. */
function takesSome(pattern: string, values: readonly string[]): boolean {
  return values.some((value) => matches([pattern.replace(/^!/, "")], [value]));
}

/** Of a pattern: it may stand alone where a list may. */
function placeOf(file: ConfigFile, path: Path, index: number): Path {
  return Array.isArray(file.rawAt(path)) ? [...path, index] : path;
}
