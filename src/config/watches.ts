/**
 * The watches: those of the configuration file, each with what stands on top where it has nothing of its own, or else
 * the one that the environment's credential gives.
 */
import type { Threshold } from "../domain/expiry.ts";
import type { QuietHours } from "../domain/quiet-hours.ts";
import type { Credential, WatchConfig } from "./config.ts";
import { readCredential } from "./credential.ts";
import type { ConfigFile, FileValues } from "./file.ts";
import type { Path } from "./file-tree.ts";
import type { Problem } from "./problem.ts";
import { type Spell, whole } from "./recipients.ts";
import type { Schedule } from "./schedule.ts";
import type { ReadFile } from "./secret-file.ts";
import type { Values } from "./settings.ts";

/** The name of the one watch that needs no file. */
const DEFAULT_WATCH = "default";

/** A watch while it is being read: undefined is what is wrong, and told elsewhere. */
export type WatchDraft = {
  /** Where it stands in the file; null for the one of the environment. */
  readonly path: Path | null;
  readonly name: string | undefined;
  /** Null where there is none. */
  readonly credential: Credential | null;
  readonly to: readonly string[];
  readonly schedule: Schedule | undefined;
  readonly timezone: string | undefined;
  readonly thresholds: readonly Threshold[] | undefined;
  /** Whether it has thresholds of its own. */
  readonly ownThresholds: boolean;
  readonly quietHours: QuietHours | null;
};

export type Top = {
  readonly values: Partial<Values>;
  readonly credential: Credential | null;
  /** Who is told where a watch names nobody. */
  readonly to: readonly string[];
};

type FileWatch = NonNullable<NonNullable<FileValues["watches"]>[number]>;

/** Every watch there is or would be, and what is wrong with them as watches. */
export function readWatches(
  file: ConfigFile,
  top: Top,
  { readFile, spell }: { readonly readFile: ReadFile; readonly spell: Spell },
): { readonly drafts: readonly WatchDraft[]; readonly problems: readonly Problem[] } {
  const listed = file.values.watches;
  if (!file.has(["watches"])) return { drafts: [environmentWatch(file, top)], problems: quietProblems(file, [[]]) };

  const drafts: WatchDraft[] = [];
  const problems: Problem[] = [];
  for (const [index, watch] of (listed ?? []).entries()) {
    if (watch === undefined) continue;
    const path = ["watches", index];
    const { credential, problems: credentialProblems } = readCredential(file, path, readFile);
    problems.push(...credentialProblems);
    drafts.push(draftOf(watch, { path, credential, file, top, spell }));
  }
  const paths = [[], ...drafts.map(({ path }) => path ?? [])];
  return { drafts, problems: [...problems, ...nameProblems(drafts, file), ...quietProblems(file, paths)] };
}

/** @param draft sound, with a name and a credential */
export function watchOf(draft: WatchDraft): WatchConfig | null {
  const { name, credential, to, schedule, timezone, thresholds, quietHours } = draft;
  if (name === undefined || credential === null) return null;
  if (schedule === undefined || timezone === undefined || thresholds === undefined) return null;
  const { expression, longestMs } = schedule;
  return { name, credential, to, schedule: expression, intervalMs: longestMs, timezone, thresholds, quietHours };
}

function environmentWatch(file: ConfigFile, { values, credential, to }: Top): WatchDraft {
  const { schedule, timezone, thresholds } = values;
  const quietHours = quietHoursOf(file.values.quietHours, timezone);
  const own = { ownThresholds: false, quietHours };
  return { path: null, name: DEFAULT_WATCH, credential, to, schedule, timezone, thresholds, ...own };
}

type Around = {
  readonly path: Path;
  readonly credential: Credential | null;
  readonly file: ConfigFile;
  readonly top: Top;
  readonly spell: Spell;
};

function draftOf(watch: FileWatch, { path, credential, file, top, spell }: Around): WatchDraft {
  const own = (key: string) => file.has([...path, key]);
  const timezone = own("timezone") ? watch.timezone : top.values.timezone;
  const ownThresholds = own("thresholds");
  return {
    path,
    name: watch.name,
    credential,
    to: own("to") ? spell(whole(watch.to) ?? []) : top.to,
    schedule: own("schedule") ? watch.schedule : top.values.schedule,
    timezone,
    thresholds: ownThresholds ? whole(watch.thresholds) : top.values.thresholds,
    ownThresholds,
    quietHours: quietHoursOf(own("quietHours") ? watch.quietHours : file.values.quietHours, timezone),
  };
}

function quietHoursOf(hours: FileValues["quietHours"], timezone: string | undefined): QuietHours | null {
  if (hours === undefined || hours === "off") return null;
  const zone = hours.timezone ?? timezone;
  if (hours.from === undefined || hours.to === undefined || zone === undefined) return null;
  return { fromMinute: hours.from, toMinute: hours.to, timezone: zone };
}

/** Upper and lower case do not tell two watches apart: the patterns of routes do not either. */
function nameProblems(drafts: readonly WatchDraft[], file: ConfigFile): readonly Problem[] {
  const firstByName = new Map<string, Path>();
  return drafts.flatMap(({ name, path }) => {
    if (name === undefined || path === null) return [];
    const key = name.normalize("NFC").toLowerCase();
    const first = firstByName.get(key);
    if (first === undefined) {
      firstByName.set(key, path);
      return [];
    }
    const message = `The watch at ${file.whereIs(first)} has this name too, upper and lower case alike. Names are used once.`;
    return [file.problem([...path, "name"], message)];
  });
}

/** @param paths of the mappings that may have quiet hours */
function quietProblems(file: ConfigFile, paths: readonly Path[]): readonly Problem[] {
  return paths.flatMap((path) => {
    const last = path.at(-1);
    const holder = typeof last === "number" ? file.values.watches?.[last] : file.values;
    const hours = holder?.quietHours;
    if (hours === undefined || hours === "off" || hours.from === undefined || hours.from !== hours.to) return [];
    const message =
      "It is the same as from: the hours would last all day or not at all. Set another time, or drop both.";
    return [file.problem([...path, "quietHours", "to"], message)];
  });
}
