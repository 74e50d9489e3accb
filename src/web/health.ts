/** `/healthz`: the daemon is alive, whatever the state of the world. `/readyz`: whether it does its work, or why not. */
import type { Readiness } from "./readiness.ts";
import type { Page } from "./server.ts";

/** The pages by path. */
export function healthPages(readiness: Readiness): ReadonlyMap<string, Page> {
  return new Map<string, Page>([
    ["/healthz", async () => ({ status: 200, body: { status: "ok" } })],
    [
      "/readyz",
      async () => {
        const reasons = await readiness.shortcomings();
        if (reasons.length === 0) return { status: 200, body: { status: "ready" } };
        return { status: 503, body: { status: "not ready", reasons } };
      },
    ],
  ]);
}
