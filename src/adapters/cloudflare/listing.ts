/**
 * Reads a paged list to its end and proves that nothing of it is missing.
 *
 * A list falls short at the first doubt, but what was read of it is kept.
 */
import { setImmediate } from "node:timers/promises";
import type { Shortfall } from "../../domain/snapshot.ts";
import type { Answer, Budget, Client } from "./client.ts";
import { CloudflareError, withoutAnswer } from "./failure.ts";
import { isObject } from "./json.ts";
import { quote } from "./text.ts";

const PER_PAGE = 50;

/** How many pages are asked for at once, where their number is known and no rate limit is near. */
const AT_ONCE = 4;

/** Ends a list without end; far beyond what Cloudflare's rate limit lets through. */
const MAX_PAGES = 10_000;

export type Listing<Row> = {
  /** In the API's order; unique by id. */
  readonly rows: readonly Row[];
  /** How many pages were read. */
  readonly pages: number;
  /** As last stated; null where the API stated none. */
  readonly totalCount: number | null;
  /** Why this may not be all; null exactly when it is proved to be. */
  readonly shortfall: Shortfall | null;
};

/** How the list came to its end. `open`: not yet. */
type End = "open" | "total" | "short page" | "nothing new" | "too many pages";

type Progress<Row> = {
  readonly rows: Map<string, Row>;
  pages: number;
  /** As the first page stated it; undefined before that page. */
  firstTotal: number | null | undefined;
  total: number | null;
  shortfall: Shortfall | null;
};

/**
 * The whole list at a path, or as much of it as could be read and why that is not all.
 *
 * It is complete when every page was a success with an array, no id came twice, and their number is
 * the `total_count` that every page stated; without any `total_count`, when it ended with a page
 * shorter than `per_page`. A page that only repeats earlier ids is the end: that server ignores `page`.
 *
 * @param path without paging parameters
 * @param parse a row from an element of the array; null where it is none
 */
export async function readListing<Row extends { readonly id: string }>(
  client: Client,
  path: string,
  parse: (raw: unknown) => Row | null,
  budget: Budget,
): Promise<Listing<Row>> {
  const progress: Progress<Row> = { rows: new Map(), pages: 0, firstTotal: undefined, total: null, shortfall: null };
  const pages = pagesAhead(client, path, budget);
  try {
    let end: End = "open";
    let answer: Answer | null = null;
    while (end === "open") {
      answer = await pages.next();
      const page: Page = openPage(progress, answer);
      pages.askAhead(pagesFollowing(progress, page));
      await setImmediate();
      end = addPage(progress, answer, { ...page, rows: page.elements.map(parse) });
    }
    if (answer !== null) conclude(progress, answer, end);
  } catch (error) {
    if (!(error instanceof CloudflareError)) throw error;
    progress.shortfall ??= { ...error.shortfall, reason: whereItFailed(progress, error.shortfall) };
  } finally {
    pages.end();
  }
  const { rows, total, shortfall } = progress;
  return { rows: [...rows.values()], pages: progress.pages, totalCount: total, shortfall };
}

type PagesAhead = {
  /** The answer to the page after the one before; its failure, if it has none. */
  next(): Promise<Answer>;
  /** Asks for as many of the pages that follow as may be under way at once. */
  askAhead(following: number): void;
  /** Gives up what is still under way. */
  end(): void;
};

/** Asks for pages before their turn has come, and answers them in their order. */
function pagesAhead(client: Client, path: string, budget: Budget): PagesAhead {
  const separator = path.includes("?") ? "&" : "?";
  const over = new AbortController();
  const signal = AbortSignal.any([budget.signal, over.signal]);
  const underWay: Promise<Answer>[] = [];
  let asked = 0;
  let atOnce = AT_ONCE;
  const ask = (): void => {
    asked += 1;
    const answer = client.get(`${path}${separator}page=${asked}&per_page=${PER_PAGE}`, { ...budget, signal });
    // Its failure is told once its turn has come.
    answer.catch(() => {});
    underWay.push(answer);
  };
  return {
    next() {
      if (underWay.length === 0) ask();
      return underWay.shift() as Promise<Answer>;
    },
    askAhead(following) {
      // A limit that came near once is not run at again.
      if (client.nearLimit()) atOnce = 1;
      while (underWay.length < Math.min(following, atOnce)) ask();
    },
    end: () => over.abort(),
  };
}

type Page = { readonly elements: readonly unknown[]; readonly perPage: number };

/** What the answer holds, counted as one more page. */
function openPage<Row>(progress: Progress<Row>, answer: Answer): Page {
  const { result } = answer.envelope;
  if (!Array.isArray(result)) {
    throw new CloudflareError(
      contentShortfall(answer, `HTTP ${answer.httpStatus} whose result is not a list: ${quote(result)}`),
    );
  }
  progress.pages += 1;
  const info = isObject(answer.envelope.result_info) ? answer.envelope.result_info : {};
  noteTotal(progress, answer, info.total_count);
  return { elements: result, perPage: isCount(info.per_page) && info.per_page > 0 ? info.per_page : PER_PAGE };
}

/**
 * How many pages there are after this one for sure: by the total, on a server that does not repeat itself.
 *
 * Only a second page shows that the server pages at all, and only a full one how many are needed for the rest:
 * until then one is asked for, and then seen.
 */
function pagesFollowing<Row>({ rows, total, pages }: Progress<Row>, { elements, perPage }: Page): number {
  const [first] = elements;
  if (!isObject(first) || typeof first.id !== "string" || rows.has(first.id) || total === null) return 0;
  const left = Math.max(0, total - rows.size - elements.length);
  const paged = pages > 1 && elements.length >= perPage;
  return Math.min(paged ? Math.ceil(left / elements.length) : Math.min(left, 1), MAX_PAGES - pages);
}

function addPage<Row extends { readonly id: string }>(
  progress: Progress<Row>,
  answer: Answer,
  { rows, perPage }: { readonly rows: readonly (Row | null)[]; readonly perPage: number },
): End {
  const knownBefore = progress.rows.size;
  const repeated = addRows(progress, answer, rows);
  const brought = progress.rows.size - knownBefore;
  if (brought === 0 && progress.pages > 1) return rows.length === 0 ? "short page" : "nothing new";
  if (repeated !== null) doubt(progress, answer, `the id ${quote(repeated)} is listed twice`);

  if (progress.total !== null && progress.rows.size >= progress.total) return "total";
  if (rows.length === 0 || (progress.total === null && rows.length < perPage)) return "short page";
  return progress.pages === MAX_PAGES ? "too many pages" : "open";
}

/** Adds what is new and says which id came again, if one did. */
function addRows<Row extends { readonly id: string }>(
  progress: Progress<Row>,
  answer: Answer,
  rows: readonly (Row | null)[],
): string | null {
  let repeated: string | null = null;
  for (const row of rows) {
    if (row === null) doubt(progress, answer, "an element of the list is not an object");
    else if (progress.rows.has(row.id)) repeated ??= row.id;
    else progress.rows.set(row.id, row);
  }
  return repeated;
}

function noteTotal<Row>(progress: Progress<Row>, answer: Answer, stated: unknown): void {
  const total = isCount(stated) ? stated : null;
  if (stated !== undefined && stated !== null && total === null) {
    doubt(progress, answer, `total_count is not a number of invitations: ${quote(stated)}`);
  }
  if (progress.firstTotal === undefined) progress.firstTotal = total;
  if (progress.firstTotal !== total) {
    doubt(
      progress,
      answer,
      `total_count changed from ${progress.firstTotal ?? "none"} to ${total ?? "none"} while reading`,
    );
  }
  progress.total = total ?? progress.total;
}

function conclude<Row>(progress: Progress<Row>, answer: Answer, end: End): void {
  const { rows, total } = progress;
  if (total !== null && rows.size !== total) {
    doubt(progress, answer, `${rows.size} listed, but total_count is ${total}`);
  }
  if (total === null && end !== "short page") {
    doubt(progress, answer, `the list ended with ${end}, and no total_count says whether ${rows.size} are all`);
  }
}

/** The first doubt is the one that is told. */
function doubt<Row>(progress: Progress<Row>, answer: Answer, what: string): void {
  progress.shortfall ??= contentShortfall(answer, `page ${progress.pages}: ${what}`);
}

function contentShortfall(answer: Answer, what: string): Shortfall {
  const reason = `${what}; nothing is taken for gone, and the next sync tries again`;
  return { ...withoutAnswer("content", reason), httpStatus: answer.httpStatus, cfRay: answer.cfRay };
}

function whereItFailed<Row>(progress: Progress<Row>, { reason, cause }: Shortfall): string {
  const { pages, rows, total } = progress;
  const soFar = `, after ${rows.size}${total === null ? "" : ` of ${total}`} listed`;
  return `page ${pages + 1}: ${reason}${cause === "deadline" ? soFar : ""}`;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
