/** Migrates the database of its argument as soon as a line comes in; prints the names of what it applied as JSON. */
import { once } from "node:events";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { openDatabase } from "../../src/adapters/postgres/open.ts";

const database = await openDatabase(process.argv[2] ?? "", "command");
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdout.write(`${JSON.stringify(await migrate(database))}\n`);
await database.close();
process.exit();
