/** The database of a demo that runs in this folder, for commands that were told of no other. */
import { existsSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { settings } from "../config/settings.ts";
import { type Context, write } from "./context.ts";

/** The demo's folder, which is there only while it runs. */
export const DEMO_FOLDER = "demo-data";
const DATABASE = "pgdata";

/** The configured database; the demo's where none is configured, none is in the usual folder, and a demo runs here. */
export async function databaseToAsk({ databaseUrl }: Config, context: Context): Promise<string> {
  if (databaseUrl !== settings.databaseUrl.default || hasOwnDatabase() || !holdsDatabase(DEMO_FOLDER)) {
    return databaseUrl;
  }
  await write(context.stderr, "DATABASE_URL is not set; this is the demo that runs in this folder.\n");
  return `pglite:./${DEMO_FOLDER}`;
}

/** Whether the usual folder has a database, which comes before a demo's. */
export function hasOwnDatabase(): boolean {
  return holdsDatabase(settings.databaseUrl.default.replace(/^pglite:/, ""));
}

function holdsDatabase(folder: string): boolean {
  return existsSync(`${folder}/${DATABASE}`);
}
