/** A guest of the embedded database of the folder that its argument names: says what it reads, then hangs in a transaction. */
import pg from "pg";
import { openEmbedded } from "../../src/adapters/postgres/embedded.ts";

const { connection } = await openEmbedded(process.argv[2] ?? "", "command");
const client = new pg.Client(connection);
await client.connect();
const { rows } = await client.query("SELECT text FROM note");
process.stdout.write(`${JSON.stringify(rows)}\n`);
await client.query("BEGIN");
await client.query("INSERT INTO note VALUES ('never committed')");
process.stdout.write("inside\n");
setInterval(() => {}, 1_000);
