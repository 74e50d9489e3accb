/**
 * When the next request may be sent, as the API's headers and the attempts so far say.
 *
 * @see https://developers.cloudflare.com/fundamentals/api/reference/limits/
 */

const BACKOFF_CAP_MS = 20_000;

/**
 * How long `Retry-After` asks to wait, in ms, or null where it says nothing that can be read.
 *
 * A date is compared with the answer's own `Date`, so that a wrong clock here does not matter.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryAfterMs(retryAfter: string | undefined, date: string | undefined, now: Date): number | null {
  if (retryAfter === undefined) return null;
  if (/^\d+$/.test(retryAfter.trim())) return Number(retryAfter) * 1000;
  const at = Date.parse(retryAfter);
  const statedNow = Date.parse(date ?? "");
  return Number.isNaN(at) ? null : Math.max(0, at - (Number.isNaN(statedNow) ? now.getTime() : statedNow));
}

/** So few requests left that several at once could use them up unnoticed. */
const NEAR = 8;

/** Whether a limit (`"default";r=5;t=30`) is so near that requests had better be sent one after the other. */
export function isNearLimit(ratelimit: string | undefined): boolean {
  return (ratelimit ?? "").split(",").some((limit) => Number(/;\s*r=(\d+)/.exec(limit)?.[1] ?? NEAR + 1) <= NEAR);
}

/** How long to wait before another request because a limit is used up (`"default";r=0;t=30`), in ms; mostly 0. */
export function rateLimitMs(ratelimit: string | undefined): number {
  const waits = (ratelimit ?? "").split(",").map((limit) => {
    const remaining = /;\s*r=(\d+)/.exec(limit)?.[1];
    const seconds = /;\s*t=(\d+)/.exec(limit)?.[1];
    return remaining !== undefined && Number(remaining) === 0 ? Number(seconds ?? 0) * 1000 : 0;
  });
  return Math.max(...waits);
}

/**
 * How long to wait after a failed attempt of which the server said nothing, in ms: doubled each time, ±25 %.
 *
 * @param attempt the attempt that failed, from 1
 * @param firstMs the wait after the first
 */
export function backoffMs(attempt: number, firstMs: number): number {
  return Math.min(BACKOFF_CAP_MS, firstMs * 2 ** (attempt - 1)) * (0.75 + Math.random() / 2);
}
