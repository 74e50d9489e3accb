/**
 * Counts what crosses the lines between the program and the world, and stops the world at a chosen crossing.
 *
 * A crossing is one whole unit of a protocol: a request or answer of Postgres or HTTP, a line, a mail or a reply of SMTP.
 */

export type LineName = "postgres" | "smtp" | "http";

export type Crossing = {
  readonly line: LineName;
  /** As the program sees it. */
  readonly direction: "out" | "in";
  /** What crossed, in a few words. */
  readonly what: string;
  /** `mail`: the text of a whole mail. `answer`: the server's reply to it. */
  readonly role: "mail" | "answer" | null;
};

/**
 * Where to stop: at the N-th crossing, or at (so many crossings after) the K-th mail or the K-th answer to one.
 *
 * `setup` is the N-th crossing of a run that begins with an empty database.
 */
export type StopPoint =
  | { readonly at: "crossing" | "setup"; readonly n: number }
  | { readonly at: "mail" | "answer"; readonly n: number; readonly after: number };

export type Crossings = {
  /** How many there were. */
  readonly count: number;
  /** The last one; of a world that was stopped the one that did not get through. */
  readonly last: Crossing | null;
  readonly answers: number;
  /** How many there were before the first with the API: until then the program sets itself up. */
  readonly ofSetup: number;
  readonly stopped: boolean;
  /** Whether it gets through. At the chosen one, and ever after, nothing does. */
  cross(crossing: Crossing): boolean;
};

/** @param onStop called once, before the unit could get through */
export function createCrossings(stopAt: StopPoint | null, onStop: () => void): Crossings {
  let count = 0;
  let last: Crossing | null = null;
  let stopped = false;
  const seen = { mail: 0, answer: 0 };
  let ofSetup: number | null = null;
  let stopCount = stopAt?.at === "crossing" || stopAt?.at === "setup" ? stopAt.n : Number.POSITIVE_INFINITY;
  return {
    get count() {
      return count;
    },
    get last() {
      return last;
    },
    get answers() {
      return seen.answer;
    },
    get ofSetup() {
      return ofSetup ?? count;
    },
    get stopped() {
      return stopped;
    },
    cross(crossing) {
      if (stopped) return false;
      if (crossing.line === "http") ofSetup ??= count;
      count += 1;
      last = crossing;
      if (crossing.role !== null) {
        seen[crossing.role] += 1;
        if (stopAt?.at === crossing.role && seen[crossing.role] === stopAt.n) stopCount = count + stopAt.after;
      }
      if (count < stopCount) return true;
      stopped = true;
      onStop();
      return false;
    },
  };
}

/** `17`, `setup:17`, `mail:2` or `answer:2+3`. */
export function describePoint(point: StopPoint): string {
  if (!("after" in point)) return point.at === "setup" ? `setup:${point.n}` : String(point.n);
  return `${point.at}:${point.n}${point.after === 0 ? "" : `+${point.after}`}`;
}

/** The point that `describePoint` describes, or null. */
export function parsePoint(text: string): StopPoint | null {
  const match = /^(?:(setup:)?(\d+)|(mail|answer):(\d+)(?:\+(\d+))?)$/.exec(text);
  if (match === null) return null;
  const [, setup, plain, at, n, after] = match;
  if (plain !== undefined) return { at: setup === undefined ? "crossing" : "setup", n: Number(plain) };
  return { at: at as "mail" | "answer", n: Number(n), after: Number(after ?? 0) };
}
