/** Prisma's own schema engine, in WebAssembly and in this process: for new migrations, and to look at what ours made. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from "@prisma/driver-adapter-utils";
import * as binding from "@prisma/schema-engine-wasm/schema_engine_bg";
import { MIGRATIONS, readMigrations } from "../src/adapters/postgres/migrations.ts";

type SchemaEngine = Awaited<ReturnType<typeof binding.SchemaEngine.new>>;

const SCHEMA = join(import.meta.dirname, "../prisma/schema.prisma");
const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** What this module needs of the global; the types of Node.js leave it out. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
};

let loaded: Promise<void> | null = null;

/** What Prisma's engine has to say about the migrations of the database. */
export async function diagnose(factory: SqlMigrationAwareDriverAdapterFactory) {
  const migrationsList = await migrationList();
  return withEngine(factory, (engine) =>
    engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters: NO_FILTERS }),
  );
}

/**
 * SQL that leads from the migrations to the schema, as the next migration would hold it; a comment alone where
 * they agree.
 *
 * @param shadow makes empty databases, in which the migrations are played to see what they make
 */
export async function driftFromMigrations(shadow: SqlMigrationAwareDriverAdapterFactory): Promise<string> {
  const from: binding.DiffTarget = { tag: "migrations", ...(await migrationList()) };
  const files = [{ path: SCHEMA, content: await readFile(SCHEMA, "utf8") }];
  const to: binding.DiffTarget = { tag: "schemaDatamodel", files };
  return withEngine(shadow, async (engine) => {
    const { stdout } = await engine.diff({ from, to, script: true, exitCode: null, filters: NO_FILTERS });
    return stdout ?? "";
  });
}

async function withEngine<T>(
  factory: SqlMigrationAwareDriverAdapterFactory,
  use: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  loaded ??= load();
  await loaded;
  const schema = await readFile(SCHEMA, "utf8");
  const bound = bindMigrationAwareSqlAdapterFactory(factory);
  const engine = await binding.SchemaEngine.new({ datamodels: [[SCHEMA, schema]] }, () => {}, bound);
  try {
    return await use(engine);
  } finally {
    engine.free();
  }
}

async function migrationList(): Promise<binding.MigrationList> {
  const migrations = await readMigrations();
  return {
    baseDir: MIGRATIONS,
    lockfile: { path: "migration_lock.toml", content: await readFile(join(MIGRATIONS, "migration_lock.toml"), "utf8") },
    shadowDbInitScript: "",
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: "migration.sql", content: { tag: "ok", value: sql } },
    })),
  };
}

async function load(): Promise<void> {
  const entry = createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm/schema_engine_bg");
  const bytes = await readFile(entry.replace(/\.js$/, ".wasm"));
  const { instance } = await WebAssembly.instantiate(bytes, { "./schema_engine_bg.js": binding });
  // Exported for the package's own loader, which needs a bundler; missing from its types.
  (binding as unknown as { __wbg_set_wasm(exports: object): void }).__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}
