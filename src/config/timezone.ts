/** A time zone, as TIMEZONE or the system's TZ has it, in its IANA name. */
import { readFileSync, realpathSync } from "node:fs";
import { nearest } from "./nearest.ts";

/** How TZ refers to a file of the zone database. */
const ZONE_FILE = /^\/.*\/zoneinfo\//;
const LOCALTIME = ["localtime", "/etc/localtime"];
/** A POSIX rule: `UTC0`, `CET-1CEST,M3.5.0,M10.5.0/3`, `<+03>-3`. @see https://man7.org/linux/man-pages/man3/tzset.3.html */
const POSIX_RULE = /^(?:[A-Za-z]{3,}|<[\w+-]+>)([+-]?\d{1,2}(?::\d{2}){0,2})(?:$|[A-Za-z<])/;

/**
 * The zone in its usual spelling, or undefined after `refuse` was told why not.
 *
 * @param ofMachine name of the zone that /etc/localtime holds; null where it cannot be told
 */
export function readTimezone(
  text: string,
  refuse: (message: string) => void,
  ofMachine: () => string | null = zoneOfMachine,
): string | undefined {
  // POSIX lets TZ begin with a colon.
  const named = text.replace(/^:/, "");
  const bare = LOCALTIME.includes(named) ? ofMachine() : named;
  if (bare === null) {
    refuse("It means this machine's zone, whose name /etc/localtime does not tell.");
    return undefined;
  }
  const name = bare.replace(ZONE_FILE, "").replace(/^posix\//, "");
  const known = Intl.supportedValuesOf("timeZone");
  const spelt = known.find((zone) => zone.toLowerCase() === name.toLowerCase());
  if (spelt !== undefined) return spelt;
  if (/^[A-Za-z]/.test(name) && isTimezone(name)) return name;
  const [, offset] = POSIX_RULE.exec(name) ?? [];
  if (offset !== undefined && /^[+-]?0+(:0+)*$/.test(offset) && /\d$/.test(name)) return "UTC";
  refuse(faultOf(name, offset !== undefined, known));
  return undefined;
}

function faultOf(name: string, isRule: boolean, known: readonly string[]): string {
  if (isRule) return "It is a POSIX rule and not the name of a time zone.";
  if (name.startsWith("right/")) return "Zones with leap seconds (right/) are not known here.";
  if (name.startsWith("/")) return "It is the path of a file and not the name of a time zone.";
  const meant = nearestTimezone(name, known);
  return meant === undefined ? "It is not a time zone." : `It is not a time zone; did you mean ${meant}?`;
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Without its continent a city is looked for among the cities: `Berlin` means `Europe/Berlin`. */
function nearestTimezone(name: string, known: readonly string[]): string | undefined {
  const names = name.includes("/") ? known : known.map((zone) => zone.slice(zone.lastIndexOf("/") + 1));
  const close = nearest(name, names);
  if (close === null || close.distance > name.length / 3) return undefined;
  return known[names.indexOf(close.name)];
}

/** By the link that /etc/localtime is, else by Debian's /etc/timezone; without the first, libc goes by UTC. */
function zoneOfMachine(): string | null {
  try {
    const path = realpathSync("/etc/localtime");
    if (ZONE_FILE.test(path)) return path.replace(ZONE_FILE, "");
  } catch {
    return "UTC";
  }
  try {
    return readFileSync("/etc/timezone", "utf8").trim() || null;
  } catch {
    return null;
  }
}
