/** Whether a user may make our tables, or change them: asked without making anything. */
import { type Client, escapeIdentifier } from "pg";
import type { Database } from "./open.ts";

type Who = { readonly user: string; readonly database: string };
type Row = Who & { readonly schema: string; readonly found: boolean; readonly allowed: boolean };

/** Whose the tables are, where they are not the user's own. */
const OWNER = `
  SELECT pg_get_userbyid(relowner)::text AS name FROM pg_class
  WHERE oid = to_regclass('_prisma_migrations') AND NOT pg_has_role(relowner, 'USAGE')`;

const SCHEMAS = `
  SELECT schema, current_user AS "user", current_database() AS database, oid IS NOT NULL AS found,
    CASE WHEN oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
      ELSE has_schema_privilege(oid, 'CREATE') END AS allowed
  FROM unnest($1::text[]) AS asked(schema) LEFT JOIN pg_namespace ON nspname = schema`;

/** Why the client's user may not, and what to do about it, in a sentence; null where it may. */
export async function missingRight(
  client: Client,
  { schema, queueSchema }: Pick<Database, "schema" | "queueSchema">,
): Promise<string | null> {
  const owner = await client.query<{ name: string }>(OWNER);
  const [other] = owner.rows;
  if (other !== undefined) {
    return `The tables belong to the user ${other.name}; run \`invitewatch migrate\` with that user's URL in DATABASE_DIRECT_URL.`;
  }
  const schemas = await client.query<Row>(SCHEMAS, [[schema, queueSchema.replaceAll('"', "")]]);
  const refused = schemas.rows.find(({ allowed }) => !allowed);
  if (refused === undefined) return null;
  return refused.found ? mayNotMakeTables(refused) : mayNotMakeSchema(refused.schema, refused);
}

function mayNotMakeTables(row: Row): string {
  const [schema, user, database] = [row.schema, row.user, row.database].map(escapeIdentifier);
  return `The user ${user} may not make tables in the schema ${schema} of the database ${database} (42501); have its owner run: GRANT CREATE ON SCHEMA ${schema} TO ${user};`;
}

export function mayNotMakeSchema(name: string, who: Who): string {
  const [schema, user, database] = [name, who.user, who.database].map(escapeIdentifier);
  return `The user ${user} may not make the schema ${schema} in the database ${database} (42501); have its owner run: CREATE SCHEMA ${schema} AUTHORIZATION ${user};`;
}
