/**
 * When the next request may be sent, as the API's headers and the attempts so far say.
 *
 * @see https://developers.cloudflare.com/fundamentals/api/reference/limits/
 */

const BACKOFF_CAP_MS = 20_000;

/** The longest that Cloudflare blocks a user for; a header that asks for more is not obeyed for longer. */
const LONGEST_WAIT_MS = 5 * 60_000;

const MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec";
/** The three forms of an HTTP date; Date.parse alone would also take "-5" and "soon 1" for one. */
const HTTP_DATE = new RegExp(
  `^(?:\\w{3}, \\d\\d (?:${MONTHS}) \\d{4} \\d\\d:\\d\\d:\\d\\d GMT` +
    `|\\w{6,9}, \\d\\d-(?:${MONTHS})-\\d\\d \\d\\d:\\d\\d:\\d\\d GMT` +
    `|\\w{3} (?:${MONTHS}) [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4})$`,
);

/**
 * How long `Retry-After` asks to wait, in ms and five minutes at most; null where it asks for nothing that can be read.
 *
 * A date is compared with the answer's own `Date`, so that a wrong clock here does not matter.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function retryAfterMs(retryAfter: string | undefined, date: string | undefined, now: Date): number | null {
  const text = retryAfter?.trim() ?? "";
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_WAIT_MS);
  const at = parseHttpDate(text);
  if (at === null) return null;
  const waitMs = at - (parseHttpDate(date?.trim() ?? "") ?? now.getTime());
  return waitMs < 0 ? null : Math.min(waitMs, LONGEST_WAIT_MS);
}

/** The date in ms since 1970, or null where the text is none. */
export function parseHttpDate(text: string): number | null {
  if (!HTTP_DATE.test(text)) return null;
  const at = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(at) ? null : at;
}

/** So few requests left that several at once could use them up unnoticed. */
const NEAR = 8;

/** Whether a limit (`"default";r=5;t=30`) is so near that requests had better be sent one after the other. */
export function isNearLimit(ratelimit: string | undefined): boolean {
  return limitsIn(ratelimit).some(({ remaining }) => remaining !== null && remaining <= NEAR);
}

/**
 * How long to wait before another request because a limit is used up (`"default";r=0;t=30`), in ms: mostly 0, and five
 * minutes at most.
 */
export function rateLimitMs(ratelimit: string | undefined): number {
  const waits = limitsIn(ratelimit).map(({ remaining, seconds }) => (remaining === 0 ? (seconds ?? 0) * 1000 : 0));
  return Math.min(Math.max(0, ...waits), LONGEST_WAIT_MS);
}

type Limit = { readonly remaining: number | null; readonly seconds: number | null };

/** Every limit of the header; what cannot be read of one is null. Names are quoted, and may hold separators. */
function limitsIn(ratelimit: string | undefined): readonly Limit[] {
  const limits = (ratelimit ?? "").replace(/"(?:[^"\\]|\\.)*"/g, '""').split(",");
  return limits.map((limit) => {
    const parameters = new Map(
      limit.split(";").map((part) => part.split("=").map((side) => side.trim()) as [string, string]),
    );
    const count = (name: string) => {
      const value = parameters.get(name) ?? "";
      return /^\d+$/.test(value) ? Number(value) : null;
    };
    return { remaining: count("r"), seconds: count("t") };
  });
}

/**
 * How long to wait after a failed attempt at the least, in ms: doubled each time, ±25 %.
 *
 * @param attempt the attempt that failed, from 1
 * @param firstMs the wait after the first
 */
export function backoffMs(attempt: number, firstMs: number): number {
  return Math.min(BACKOFF_CAP_MS, firstMs * 2 ** (attempt - 1)) * (0.75 + Math.random() / 2);
}
