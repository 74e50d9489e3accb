/** Which hosts are this machine for certain, so that a credential may cross the wire in the clear. */

/** Whether the host is this machine, judged by its name alone; an IPv6 address may stand in brackets. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return /^(?:.+\.)?localhost\.?$/.test(host) || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
