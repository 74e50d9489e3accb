/** Owns the embedded database of the folder that its argument names, and counts in it until it is killed. */
import pg from "pg";
import { openEmbedded } from "../../src/adapters/postgres/embedded.ts";

const { connection } = await openEmbedded(process.argv[2] ?? "", "daemon");
const client = new pg.Client(connection);
await client.connect();
await client.query("CREATE TABLE tally (n int PRIMARY KEY, filler text)");
for (let n = 1; ; n += 1) {
  await client.query("INSERT INTO tally VALUES ($1, repeat('x', 2000))", [n]);
  // Only what was committed is said.
  process.stdout.write(`${n}\n`);
}
