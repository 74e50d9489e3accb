/**
 * Reads what a file says by its schema, key for key: a key that is wrong leaves the others readable, so that every
 * problem is found at once.
 *
 * What is wrong with one value the schema's own fields say; unknown, missing and ill-shaped keys are told here.
 */
import { z } from "zod";
import { type About, aboutKeys } from "./file-keys.ts";

/** Where something stands: `["watches", 1, "to", 0]`. */
export type Path = readonly (string | number)[];

/** What a schema reads; undefined in the place of all that is not there or wrong. */
export type Tree<S> =
  S extends z.ZodOptional<infer I>
    ? Tree<I>
    : S extends z.ZodObject<infer Shape>
      ? { readonly [K in keyof Shape]?: Tree<Shape[K]> | undefined }
      : S extends z.ZodArray<infer Item>
        ? readonly (Tree<Item> | undefined)[]
        : S extends z.ZodUnion<readonly [infer Item extends z.ZodType, z.ZodArray]>
          ? readonly (Tree<Item> | undefined)[]
          : S extends z.ZodUnion<readonly (infer Option extends z.ZodType)[]>
            ? Tree<Option>
            : z.output<S>;

export type Fault =
  | { readonly kind: "value"; readonly path: Path; readonly message: string }
  | { readonly kind: "missing"; readonly path: Path }
  | { readonly kind: "unknown"; readonly path: Path };

/** The values, after `report` was told of every fault. One value where a list may stand is a list of one. */
export function readTree<S extends z.ZodType>(
  schema: S,
  raw: unknown,
  report: (fault: Fault) => void,
): Tree<S> | undefined {
  return read(schema, raw, { path: [], report }) as Tree<S> | undefined;
}

type Place = { readonly path: Path; readonly report: (fault: Fault) => void };

function read(schema: z.ZodType, raw: unknown, place: Place): unknown {
  const chosen = schemaFor(schema, raw);
  if (chosen instanceof z.ZodObject) return readMapping(chosen, raw, place);
  if (chosen instanceof z.ZodArray) return readList(chosen, raw, place);
  const result = chosen.safeParse(raw);
  if (!result.success) place.report(valueFault(place, result.error.issues.map(({ message }) => message).join(" ")));
  const value = result.success ? result.data : undefined;
  return listIn(schema) === undefined ? value : [value];
}

function readMapping(schema: z.ZodObject, raw: unknown, { path, report }: Place): unknown {
  if (!isMapping(raw)) {
    report(valueFault({ path }, raw === null ? "It has no value." : "It is not a mapping."));
    return undefined;
  }
  const shape: Readonly<Record<string, z.ZodType>> = schema.shape;
  for (const name of Object.keys(raw)) {
    if (!Object.hasOwn(shape, name)) report({ kind: "unknown", path: [...path, name] });
  }
  const values: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(shape)) {
    const place = { path: [...path, name], report };
    if (Object.hasOwn(raw, name)) values[name] = read(member, raw[name], place);
    else if (!(member instanceof z.ZodOptional)) report({ kind: "missing", path: place.path });
  }
  return values;
}

function readList(schema: z.ZodArray, raw: unknown, { path, report }: Place): unknown {
  if (!Array.isArray(raw)) {
    report(valueFault({ path }, raw === null ? "It has no value." : "It is not a list."));
    return undefined;
  }
  if (raw.length === 0 && !schema.safeParse(raw).success) report(valueFault({ path }, "It is empty."));
  return raw.map((item, index) => read(schema.element as z.ZodType, item, { path: [...path, index], report }));
}

function valueFault({ path }: { readonly path: Path }, message: string): Fault {
  return { kind: "value", path, message };
}

/** What the schema takes in the shape that the value has. */
function schemaFor(schema: z.ZodType, raw: unknown): z.ZodType {
  if (schema instanceof z.ZodOptional) return schemaFor(schema.unwrap() as z.ZodType, raw);
  if (!(schema instanceof z.ZodUnion)) return schema;
  const options = schema.options as readonly z.ZodType[];
  const shaped = options.find((option) =>
    Array.isArray(raw) ? option instanceof z.ZodArray : isMapping(raw) && option instanceof z.ZodObject,
  );
  return shaped ?? options[0] ?? schema;
}

function listIn(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodOptional) return listIn(schema.unwrap() as z.ZodType);
  return schema instanceof z.ZodUnion
    ? (schema.options as readonly z.ZodType[]).find((option) => option instanceof z.ZodArray)
    : undefined;
}

/** What there is to say of the key that stands there, or of the nearest one above it. */
export function aboutPath(schema: z.ZodType, path: Path): About | undefined {
  const own = aboutOf(schema);
  const [step, ...rest] = path;
  if (step === undefined) return own;
  const wanted = typeof step === "number" ? null : step;
  const member = membersOf(schema).find(([name]) => name === wanted)?.[1];
  return (member === undefined ? undefined : aboutPath(member, rest)) ?? own;
}

/** A key as the reference has it: `watches[].name`. */
export type KnownKey = {
  readonly path: string;
  readonly name: string;
  readonly required: boolean;
  readonly about: About;
};

/** Every key that the schema has, in its order. */
export function knownKeys(schema: z.ZodType, before = ""): readonly KnownKey[] {
  return membersOf(schema).flatMap(([name, member]) => {
    if (name === null) return knownKeys(member, `${before}[]`);
    const path = before === "" ? name : `${before}.${name}`;
    const about = aboutOf(member);
    const own = about === undefined ? [] : [{ path, name, required: !(member instanceof z.ZodOptional), about }];
    return [...own, ...knownKeys(member, path)];
  });
}

function aboutOf(schema: z.ZodType): About | undefined {
  return aboutKeys.get(schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema);
}

/** The keys of a mapping, and under null the items of a list. */
function membersOf(schema: z.ZodType): readonly (readonly [string | null, z.ZodType])[] {
  if (schema instanceof z.ZodOptional) return membersOf(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodUnion) return (schema.options as readonly z.ZodType[]).flatMap(membersOf);
  if (schema instanceof z.ZodArray) return [[null, schema.element as z.ZodType]];
  return schema instanceof z.ZodObject ? Object.entries(schema.shape as Record<string, z.ZodType>) : [];
}

function isMapping(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}
