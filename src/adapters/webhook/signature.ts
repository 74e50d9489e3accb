/**
 * Signatures by which a webhook's receiver knows that a post is ours and fresh.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac } from "node:crypto";

const PREFIX = "whsec_";

/** The headers of one attempt to post the body. */
export function signedHeaders(id: string, attemptedAt: Date, body: string, secret: string): Record<string, string> {
  const timestamp = String(Math.floor(attemptedAt.getTime() / 1000));
  const signature = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}

function keyOf(secret: string): Buffer {
  return secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), "base64") : Buffer.from(secret, "utf8");
}
