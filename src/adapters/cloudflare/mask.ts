/**
 * Takes the credential out of an answer before anything of it is read, quoted or kept: out of every text, key and id.
 *
 * An id that holds it becomes another, the same each time and one of its own for each such id, so that no two invites
 * are taken for one. The API cannot be asked for it.
 */
import { hash } from "node:crypto";
import { mayHoldEscapes } from "../../domain/escapes.ts";
import type { Redactor } from "../../domain/redact.ts";
import { isObject } from "./json.ts";

/** The start of an id that stands for one that held the credential. */
export const MASKED_ID_PREFIX = "masked-";

/** Deeper nesting is cut off: recursing readers have their limits. */
const MAX_DEPTH = 80;

/**
 * The JSON value without the credential.
 *
 * @param body the text that the value was parsed from: where it holds no credential, no part of the value does
 */
export function maskJson(value: unknown, body: string, mask: Redactor): unknown {
  // Those of JSON stand between values; within one they are escaped.
  const flat = body.replace(/[\t\r\n]+/g, "");
  return !mayHoldEscapes(flat) && mask(flat) === flat ? value : maskValue(value, mask, 0);
}

function maskValue(value: unknown, mask: Redactor, depth: number): unknown {
  if (typeof value === "string") return mask(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === MAX_DEPTH) return "(nested too deeply to be read)";
  if (Array.isArray(value)) return value.map((item) => maskValue(item, mask, depth + 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      mask(name),
      typeof item === "string" && /(?:^|_)id$/.test(name) ? maskId(item, mask) : maskValue(item, mask, depth + 1),
    ]),
  );
}

function maskId(id: string, mask: Redactor): string {
  return mask(id) === id ? id : MASKED_ID_PREFIX + hash("sha256", id, "hex").slice(0, 32);
}
