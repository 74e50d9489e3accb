/** How hosts outside are reached: directly, or through the proxy that the environment names for them. */
import { Agent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { ProxyConfig } from "./config/proxy.ts";
import { proxyFor } from "./config/proxy.ts";

export type Outbound = {
  /** The proxy without its login; null where the host is reached directly. */
  readonly proxy: string | null;
  readonly agents: { readonly http: Agent; readonly https: HttpsAgent };
  /** What is wrong with the proxy, as a clause that says what to do; null where the error is not the proxy's. */
  readonly proxyFault: (error: unknown) => string | null;
};

const CONNECT_TIMEOUT_MS = 10_000;

/** What a proxy says to CONNECT, and what that means for a person. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [401, "wants a login, or another one"],
  [403, "does not let us through to"],
  [407, "wants a login, or another one"],
  [502, "cannot reach"],
  [503, "cannot reach"],
  [504, "cannot reach"],
]);

const TLS_CODE = /^(ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/;

/** The way to an address. Other variables of the environment have no say in it. */
export function createOutbound(address: string, config: ProxyConfig): Outbound {
  const via = proxyFor(address, config);
  if (via === null) {
    const agents = { http: new Agent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
    return { proxy: null, agents, proxyFault: () => null };
  }
  const proxyEnv = { HTTP_PROXY: via, HTTPS_PROXY: via };
  const options = { keepAlive: true, proxyEnv, timeout: CONNECT_TIMEOUT_MS };
  const agents = { http: new Agent(options), https: new HttpsAgent(options) };
  const proxy = shown(via);
  const { protocol, host } = new URL(address);
  const variable = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  return { proxy, agents, proxyFault: (error) => faultOf(detailOf(error), { proxy, host, variable }) };
}

type Detail = {
  readonly code: string;
  readonly syscall?: unknown;
  readonly statusCode?: unknown;
  readonly proxyTunnelTimeout?: unknown;
};
type Way = { readonly proxy: string; readonly host: string; readonly variable: string };

function faultOf({ code, syscall, statusCode, proxyTunnelTimeout }: Detail, way: Way): string | null {
  const { proxy, host, variable } = way;
  const who = `the proxy ${proxy} (${variable})`;
  if (code === "ERR_PROXY_TUNNEL") {
    if (proxyTunnelTimeout !== undefined) return `${who} does not answer: check that it is the right one`;
    if (typeof statusCode !== "number" || Number.isNaN(statusCode)) {
      return `${who} does not answer as a proxy does: check its address`;
    }
    const what = REFUSALS.get(statusCode) ?? "does not open a way to";
    if (what.startsWith("wants")) return `${who} ${what} (${statusCode}): set user and password in ${variable}`;
    return `${who} ${what} ${host} (${statusCode}): ask those who run it, or add the host to NO_PROXY`;
  }
  if (syscall === "connect" || syscall === "getaddrinfo") {
    return `${who} cannot be reached (${code}): check its address, or add ${host} to NO_PROXY`;
  }
  if (TLS_CODE.test(code)) {
    return proxy.startsWith("https:")
      ? `TLS fails with ${who} (${code}): check its certificate, or whether it speaks plain http`
      : `TLS fails with ${host} through ${who} (${code}): if the proxy inspects TLS, name its CA in NODE_EXTRA_CA_CERTS`;
  }
  return code === "ECONNRESET" || code === "EPIPE"
    ? `${who}, or ${host} behind it, broke the connection (${code})`
    : null;
}

/** got wraps the errors of Node.js. */
function detailOf(error: unknown): Detail {
  const isObject = typeof error === "object" && error !== null;
  const cause = isObject && "cause" in error && error.cause instanceof Error ? error.cause : error;
  const detail = cause as Partial<Detail> | null;
  return { ...pick(detail), code: String(detail?.code ?? "") };
}

function pick(detail: Partial<Detail> | null) {
  return {
    syscall: detail?.syscall,
    statusCode: detail?.statusCode,
    proxyTunnelTimeout: detail?.proxyTunnelTimeout,
  };
}

function shown(proxy: string): string {
  const { protocol, host } = new URL(proxy);
  return `${protocol}//${host}`;
}
