/** What the stand-in knows: the invitations and the memberships of one user, changed from code and paged through over HTTP. */
import type { JsonObject } from "../domain/json.ts";
import { success } from "./cloudflare-answers.ts";
import { type ApiInvite, hexId, membershipOf } from "./sample-invite.ts";

/** An ordered list whose items have ids; a malformed item (no id, an id twice) is kept as it is. */
export type Collection = {
  list(): readonly JsonObject[];
  get(id: string): JsonObject | undefined;
  /** Adds the item at the end, or replaces the one with its id where that stands. */
  put(item: JsonObject): void;
  /** @throws {Error} where there is no such item */
  update(id: string, changes: JsonObject): void;
  remove(id: string): void;
  replaceAll(items: readonly JsonObject[]): void;
  clear(): void;
};

export type Invites = Collection & {
  /** The user accepts: the invitation stays listed with its new status, and there is a membership. */
  accept(id: string): void;
  /** Takes the invitation off the list; asked for by its id, it is still there. */
  unlist(id: string): void;
};

export type State = {
  readonly invites: Invites;
  readonly memberships: Collection;
  /** One page of the invitations, serialised. */
  invitesPage(page: number, perPage: number): Buffer;
  /** An invitation by its id, also one that is not listed. */
  findInvite(id: string): JsonObject | undefined;
  membershipsPage(page: number, perPage: number, status: string | null): JsonObject;
};

/** A user without invitations and memberships. */
export function createState(): State {
  const pages = createPageCache();
  const unlisted = new Map<string, JsonObject>();
  const listed = createCollection(pages.clear);
  const memberships = createCollection(() => {});
  const known = (id: string): JsonObject => {
    const invite = listed.get(id);
    if (invite === undefined) throw new Error(`No invitation ${id} is listed`);
    return invite;
  };

  const invites: Invites = {
    ...listed,
    clear() {
      listed.clear();
      unlisted.clear();
    },
    accept(id) {
      listed.update(id, { status: "accepted", invited_member_id: hexId("member you@example.com") });
      memberships.put(membershipOf(known(id) as ApiInvite));
    },
    unlist(id) {
      unlisted.set(id, known(id));
      listed.remove(id);
    },
  };

  return {
    invites,
    memberships,
    invitesPage: (page, perPage) =>
      pages.get(page, perPage, () => Buffer.from(JSON.stringify(pageOf(listed.list(), page, perPage)))),
    findInvite: (id) => listed.get(id) ?? unlisted.get(id),
    membershipsPage(page, perPage, status) {
      const matching = memberships.list().filter((membership) => status === null || membership.status === status);
      return pageOf(matching, page, perPage);
    },
  };
}

function createCollection(changed: () => void): Collection {
  let items: JsonObject[] = [];
  // Positions by id, rebuilt when first needed after a removal: 100,000 items are found as fast as ten.
  let positions: Map<unknown, number> | null = null;
  const positionOf = (id: unknown): number | undefined => {
    positions ??= new Map(items.map((item, position) => [item.id, position]));
    return positions.get(id);
  };
  const replaceAll = (next: readonly JsonObject[]): void => {
    items = [...next];
    positions = null;
    changed();
  };

  const collection: Collection = {
    list: () => items,
    get(id) {
      const position = positionOf(id);
      return position === undefined ? undefined : items[position];
    },
    put(item) {
      const position = (item.id === undefined ? undefined : positionOf(item.id)) ?? items.length;
      items[position] = item;
      positions?.set(item.id, position);
      changed();
    },
    update(id, changes) {
      const item = collection.get(id);
      if (item === undefined) throw new Error(`There is no item ${id}`);
      collection.put({ ...item, ...changes });
    },
    remove: (id) => replaceAll(items.filter((item) => item.id !== id)),
    replaceAll,
    clear: () => replaceAll([]),
  };
  return collection;
}

function pageOf(items: readonly JsonObject[], page: number, perPage: number): JsonObject {
  const result = items.slice((page - 1) * perPage, page * perPage);
  return success(result, {
    result_info: { count: result.length, page, per_page: perPage, total_count: items.length },
  });
}

/** Keeps the serialised pages of one page size, until something changes. */
function createPageCache() {
  const pages = new Map<number, Buffer>();
  let size = 0;
  return {
    get(page: number, perPage: number, serialise: () => Buffer): Buffer {
      if (size !== perPage) pages.clear();
      size = perPage;
      const cached = pages.get(page);
      if (cached !== undefined) return cached;
      const fresh = serialise();
      pages.set(page, fresh);
      return fresh;
    },
    clear: () => pages.clear(),
  };
}
