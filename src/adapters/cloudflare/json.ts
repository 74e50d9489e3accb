/** What a JSON value is. */
import { keyText, storable } from "./text.ts";

export type RawObject = { readonly [key: string]: unknown };

/** Whether a JSON value is an object, not a list. */
export function isObject(value: unknown): value is RawObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An id as text that can be a key, or null where the value can be none; numbers are taken for their digits. */
export function idText(value: unknown): string | null {
  if (typeof value === "string" && value !== "") return keyText(storable(value));
  return typeof value === "number" && Number.isFinite(value) ? String(value) : null;
}
