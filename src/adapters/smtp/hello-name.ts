/** The name by which this host introduces itself to a mail server, in EHLO. */
import { domainToASCII } from "node:url";
import { isAddressLiteral, isHostName } from "../../domain/host-name.ts";
import { onTheWire } from "./address.ts";

type Circumstances = {
  /** `name=` of SMTP_URL. */
  readonly asked: string | null;
  /** As the operating system has it. */
  readonly hostname: string;
  /** MAIL_FROM. */
  readonly from: string | null;
};

/**
 * The name asked for, else the host's own where it has a dot, else the domain of MAIL_FROM. An IDN is in ASCII.
 *
 * A name without a dot, as every container has, and an address make some mail servers hang up.
 */
export function helloNameOf({ asked, hostname, from }: Circumstances): string {
  if (asked !== null) return isAddressLiteral(asked) ? asked : asciiName(asked);
  const own = asciiName(hostname);
  if (isHostName(own) && own.includes(".") && !own.startsWith("localhost.")) return own;
  const domain = from === null ? "" : onTheWire(from).split("@").at(-1);
  return domain || own || "localhost";
}

function asciiName(name: string): string {
  return domainToASCII(name.replace(/\.$/, ""));
}
