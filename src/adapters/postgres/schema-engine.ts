/**
 * Prisma's own schema engine, in WebAssembly and in this process: no native engine is downloaded or run.
 *
 * It applies `prisma/migrations` as `prisma migrate deploy` does, with the same rows in `_prisma_migrations`.
 */
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PrismaPg } from "@prisma/adapter-pg";
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from "@prisma/driver-adapter-utils";
import * as binding from "@prisma/schema-engine-wasm/schema_engine_bg";
import type { PoolConfig } from "pg";

export type Migration = { readonly name: string; readonly sql: string };

type SchemaEngine = Awaited<ReturnType<typeof binding.SchemaEngine.new>>;

const PRISMA = join(import.meta.dirname, "../../../prisma");
const SCHEMA = join(PRISMA, "schema.prisma");
export const MIGRATIONS = join(PRISMA, "migrations");
const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** What this module needs of the global; the types of Node.js leave it out. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
};

let loaded: Promise<void> | null = null;

/** The migrations of this version, oldest first. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => ({ name, sql: await readFile(join(MIGRATIONS, name, "migration.sql"), "utf8") })),
  );
}

/** Applies what is missing; the names of what was applied. */
export async function applyMigrations(connection: PoolConfig): Promise<readonly string[]> {
  const migrationsList = await migrationList();
  const adapters: Adapter[] = [];
  const failures: unknown[] = [];
  try {
    return await withEngine(sendingWholeScripts(new PrismaPg(connection), adapters, failures), async (engine) => {
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS });
      return appliedMigrationNames;
    });
  } catch (error) {
    // Of what the database said the engine passes on little or nothing.
    throw failures.at(-1) ?? error;
  } finally {
    for (const adapter of adapters) await adapter.underlyingDriver().end();
  }
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

type Adapter = Awaited<ReturnType<PrismaPg["connect"]>>;

/**
 * Of the row that the engine has made for the migration under way. Sent with its script, and so in the same transaction:
 * whenever the process dies, an unfinished row is one of whose script nothing was kept.
 */
const FINISHED = `
;UPDATE _prisma_migrations SET finished_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL`;

/**
 * The factory, made to send a migration as one script: its own way cuts it at every semicolon, and so through the
 * body of a function. Notes the adapters that it makes, since the engine leaves them open, and what failed.
 */
function sendingWholeScripts(factory: PrismaPg, made: Adapter[], failures: unknown[]): PrismaPg {
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const note = (error: unknown): never => {
      failures.push(error);
      throw error;
    };
    const executeRaw = adapter.executeRaw.bind(adapter);
    adapter.executeRaw = (statement) => executeRaw(statement).catch(note);
    adapter.executeScript = async (script) => {
      await adapter.underlyingDriver().query(`${script}${FINISHED}`).catch(note);
    };
    made.push(adapter);
    return adapter;
  };
  return factory;
}

async function load(): Promise<void> {
  const entry = createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm/schema_engine_bg");
  const bytes = await readFile(entry.replace(/\.js$/, ".wasm"));
  const { instance } = await WebAssembly.instantiate(bytes, { "./schema_engine_bg.js": binding });
  // Exported for the package's own loader, which needs a bundler; missing from its types.
  (binding as unknown as { __wbg_set_wasm(exports: object): void }).__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}
