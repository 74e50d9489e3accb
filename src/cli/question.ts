/** What a command knows before a database is opened. */
import type { Config } from "../config/config.ts";
import type { Zone } from "./zone.ts";

/** What a command has before the database is opened: enough to refuse what cannot be asked. */
export type Question = { readonly config: Config; readonly zone: Zone; readonly now: Date };
