/** Which requests go through a proxy: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as curl and others read them. */
import { BlockList, isIP } from "node:net";
import { domainToASCII } from "node:url";
import { isLoopback } from "../domain/loopback.ts";

export type ProxyConfig = {
  /** For https:// addresses. May hold a login: a secret. */
  readonly https: string | null;
  /** For http:// addresses. */
  readonly http: string | null;
  /** Hosts that are reached without one. */
  readonly none: string;
};

/** The proxy for an address; null where it is reached directly, as this machine always is. */
export function proxyFor(address: string, { https, http, none }: ProxyConfig): string | null {
  const url = new URL(address);
  const proxy = url.protocol === "https:" ? https : http;
  if (proxy === null || isLoopback(url.hostname)) return null;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const host = bare(url.hostname);
  const entries = none.split(/[\s,]+/).filter((entry) => entry !== "");
  return entries.some((entry) => covers(entry.toLowerCase(), host, port)) ? null : proxy;
}

/** Whether an entry of NO_PROXY means the host: a name and all below it, an address, a range of them, each with a port or without. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const range = /^([^/]+)\/(\d{1,3})$/.exec(bare(entry));
  if (range !== null) return isInside(host, range[1] ?? "", Number(range[2]));
  if (isIP(bare(entry)) !== 0) return sameAddress(bare(entry), host);
  const [, name = entry, entryPort] = /^(.*):(\d{1,5})$/.exec(entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  if (isIP(bare(name)) !== 0) return sameAddress(bare(name), host);
  const domain = domainToASCII(bare(name).replace(/^\*?\./, ""));
  return domain !== "" && (host === domain || host.endsWith(`.${domain}`));
}

function isInside(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || bits > (family === 6 ? 128 : 32)) return false;
  const type = family === 6 ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(network, bits, type);
  return list.check(host, type);
}

function sameAddress(one: string, other: string): boolean {
  return isIP(other) === isIP(one) && isInside(other, one, isIP(one) === 6 ? 128 : 32);
}

/** Without the brackets of an IPv6 address and the dot at the end of a whole name. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
