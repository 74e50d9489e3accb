/**
 * Durations as people write them: `30s`, `90m`, `72h`, `3d`, `1d12h`.
 *
 * Units are ms, s, m, h, d and w, each at most once and the longest first. A bare number has no unit and is refused.
 */

const UNITS_MS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
const PATTERN = /^(?:(?<w>\d+)w)?(?:(?<d>\d+)d)?(?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<s>\d+)s)?(?:(?<ms>\d+)ms)?$/;

/** The duration in ms, or null where the text is not a duration (or too long to count exactly). */
export function parseDuration(text: string): number | null {
  const groups = PATTERN.exec(text.trim().toLowerCase())?.groups;
  if (groups === undefined) return null;
  const amounts = Object.entries(UNITS_MS).filter(([unit]) => groups[unit] !== undefined);
  if (amounts.length === 0) return null;
  const ms = amounts.reduce((sum, [unit, unitMs]) => sum + Number(groups[unit]) * unitMs, 0);
  return Number.isSafeInteger(ms) ? ms : null;
}

/**
 * The shortest text that `parseDuration` reads as this duration, without weeks: `72h` is `3d`.
 *
 * @param ms an integer, 0 or more
 */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"] as const) {
    const amount = Math.floor(rest / UNITS_MS[unit]);
    rest -= amount * UNITS_MS[unit];
    if (amount > 0) text += `${amount}${unit}`;
  }
  return text === "" ? "0s" : text;
}
