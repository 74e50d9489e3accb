/** The requests that a server received: all are counted, the latest are kept. */
import { EventEmitter, on } from "node:events";

const kept = 1000;

/** `path` is as sent, query included. */
export type LoggedRequest = { readonly method: string; readonly path: string };

export type RequestLog = {
  readonly count: number;
  /** Oldest first; at most the latest 1,000. */
  readonly latest: readonly LoggedRequest[];
  /** The next request to arrive that matches; rejects on abort, and when the server closes. */
  next(matches?: (request: LoggedRequest) => boolean, signal?: AbortSignal): Promise<LoggedRequest>;
};

/** An empty log, and the way to add to it until its end. */
export function createRequestLog(): RequestLog & { add(request: LoggedRequest): void; end(): void } {
  const arrivals = new EventEmitter().setMaxListeners(0);
  const latest: LoggedRequest[] = [];
  let count = 0;
  return {
    get count() {
      return count;
    },
    get latest() {
      return [...latest];
    },
    async next(matches = () => true, signal) {
      for await (const [request] of on(arrivals, "request", { close: ["end"], ...(signal && { signal }) })) {
        if (matches(request)) return request;
      }
      throw new Error("The server was closed before such a request arrived");
    },
    add(request) {
      count += 1;
      latest.push(request);
      if (latest.length > kept) latest.shift();
      arrivals.emit("request", request);
    },
    end: () => void arrivals.emit("end"),
  };
}
