/**
 * A client whose server session is its own for the length of a transaction alone, as behind a pooler in transaction mode.
 *
 * Nothing may outlive a transaction there, so that each begins with our settings; a statement that stands alone becomes
 * a transaction.
 */
import type { ClientBase, QueryResult } from "pg";

type Callback = (error: Error | null, result?: QueryResult) => void;
type Query = (config: string | { readonly text: string }, values?: unknown) => Promise<QueryResult>;

const BEGINS = /^\s*(?:BEGIN|START\s+TRANSACTION)\b[^;]*(?:;|$)/i;
/** What Postgres does not do inside of a transaction; the queue's upkeep, which names all things in full. */
const STANDS_ALONE = /^\s*VACUUM\b|\bCONCURRENTLY\b/i;

/** @param opening begins a transaction, and sets what holds in it */
export function keepToTransactions(client: ClientBase, opening: string): void {
  const plain = client.query.bind(client) as unknown as Query;
  const alone: Query = async (config, values) => {
    try {
      await plain(opening);
      const result = await plain(config, values);
      await plain("COMMIT");
      return result;
    } catch (error) {
      if (client.getTransactionStatus() !== "I") await plain("ROLLBACK").catch(() => {});
      throw error;
    }
  };
  const query: Query = (config, values) => {
    const text = typeof config === "string" ? config : config.text;
    if (client.getTransactionStatus() !== "I" || STANDS_ALONE.test(text)) return plain(config, values);
    if (!BEGINS.test(text)) return alone(config, values);
    const begun = text.replace(BEGINS, () => opening);
    return plain(typeof config === "string" ? begun : { ...config, text: begun }, values);
  };
  // The driver's own pool passes a callback.
  const queryOrCall = (config: string | { readonly text: string }, values?: unknown, callback?: Callback) => {
    const done = typeof values === "function" ? (values as Callback) : callback;
    const result = query(config, typeof values === "function" ? undefined : values);
    if (done === undefined) return result;
    result.then(
      (rows) => done(null, rows),
      (error: Error) => done(error),
    );
  };
  Object.assign(client, { query: queryOrCall });
}
