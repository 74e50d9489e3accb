/** The query parameters of SMTP_URL: which there are, and what is wrong with those that are given. */
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { isAddressLiteral, isHostName } from "../domain/host-name.ts";
import { isLoopback } from "../domain/loopback.ts";
import { mayLogInPlain, TLS_MODES } from "../domain/mail-tls.ts";
import { nearest } from "./nearest.ts";

/** What is wrong with a value, by parameter; null where nothing is. */
const PARAMETERS: ReadonlyMap<string, (value: string) => string | null> = new Map([
  ["tls", (value) => (TLS_MODES.some((mode) => mode === value) ? null : `is none of ${TLS_MODES.join(", ")}`)],
  ["name", nameFault],
  ["allowInsecureAuth", (value) => (value === "true" || value === "false" ? null : "is neither true nor false")],
]);
const NAMES = [...PARAMETERS.keys()];

/** Further off than this it is no slip of the keyboard. */
const MOST_SLIPS = 3;

/** One sentence for each fault, without any part of the URL but the names of our parameters. */
export function smtpParameterFaults(url: URL): readonly string[] {
  const faults: string[] = [];
  for (const [name, value] of url.searchParams) {
    const check = PARAMETERS.get(name);
    if (check === undefined) {
      faults.push(`It has a query parameter that is not known; ${whatIsKnown(name)}`);
      continue;
    }
    const fault = check(value);
    if (fault !== null) faults.push(`Its query parameter ${name} ${fault}.`);
    if (url.searchParams.getAll(name).length > 1) faults.push(`Its query parameter ${name} is given more than once.`);
  }
  return [...new Set([...faults, ...contradictions(url)])];
}

function whatIsKnown(name: string): string {
  const meant = nearest(name, NAMES);
  return meant !== null && meant.distance <= MOST_SLIPS
    ? `did you mean ${meant.name}?`
    : `known are ${NAMES.join(", ")}.`;
}

function nameFault(value: string): string | null {
  if (isAddressLiteral(value) || isHostName(domainToASCII(value.replace(/\.$/, "")))) return null;
  return isIP(value) === 0 ? "is no host name" : "is an address; write it in brackets, such as [192.0.2.1]";
}

function contradictions({ protocol, hostname, username, searchParams }: URL): readonly string[] {
  if (searchParams.get("tls") !== "off") return [];
  if (protocol === "smtps:") return ["Its query parameter tls=off contradicts smtps://; use smtp://."];
  const allowInsecureAuth = searchParams.get("allowInsecureAuth") === "true";
  const way = { loopback: isLoopback(hostname), login: username !== "", allowInsecureAuth };
  if (!way.login || mayLogInPlain(way)) return [];
  return [
    "Its query parameter tls=off would send the login in the clear; if that is meant, add allowInsecureAuth=true.",
  ];
}
