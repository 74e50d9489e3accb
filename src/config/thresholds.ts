/**
 * Thresholds that somebody wrote and that the schedule passes by.
 *
 * Those that hold by default are no mistake of anybody's, whatever the schedule; the last-chance alert goes by the
 * schedule itself.
 */
import type { Threshold } from "../domain/expiry.ts";
import { formatDuration } from "./duration.ts";
import { twinOf } from "./fields.ts";
import type { ConfigFile } from "./file.ts";
import type { Path } from "./file-tree.ts";
import type { Problem } from "./problem.ts";
import type { WatchDraft } from "./watches.ts";

/** Those of the configuration file. */
export function thresholdProblems(file: ConfigFile, drafts: readonly WatchDraft[]): readonly Problem[] {
  const lists = [
    { path: ["thresholds"], list: file.values.thresholds, watches: drafts.filter((draft) => !draft.ownThresholds) },
    ...drafts.map((draft) => {
      const index = draft.path?.at(-1);
      const own = typeof index === "number" ? file.values.watches?.[index]?.thresholds : undefined;
      return { path: [...(draft.path ?? []), "thresholds"], list: own, watches: [draft] };
    }),
  ];
  return lists.flatMap(({ path, list, watches }) =>
    (list ?? []).flatMap((threshold, index) => {
      if (threshold === undefined) return [];
      const twin = twinOf(
        threshold,
        (list ?? []).slice(0, index).filter((earlier) => earlier !== undefined),
      );
      const at: Path = [...path, index];
      if (twin !== undefined) return [file.problem(at, `It is the same threshold as ${twin.name}. Keep one.`)];
      const fault = neverFires(threshold, watches);
      return fault === null ? [] : [file.problem(at, fault)];
    }),
  );
}

/**
 * Why the threshold would pass unseen by some of the watches, in whole sentences; null where it does by none.
 *
 * Between two polls nobody looks. A threshold of the shortest stretch between them or more has a poll to be seen by.
 */
export function neverFires(threshold: Threshold, watches: readonly WatchDraft[]): string | null {
  if (threshold.kind !== "lead") return null;
  const late = watches.filter(({ schedule }) => schedule !== undefined && threshold.ms < schedule.shortestMs);
  if (late.length === 0) return null;
  const stretches = late.map(({ name, path, schedule }) => {
    const stretch = formatDuration(schedule?.shortestMs ?? 0);
    return path === null || name === undefined ? stretch : `${stretch} for the watch ${name}`;
  });
  return `It would pass unseen between two polls, which are ${stretches.join(", ")} apart. Set a longer one, or poll more often.`;
}
