/** What a host name looks like on the wire. */

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`, "i");
const ALL_DIGITS = /^[\d.]+$/;

/** Whether it is a host name in ASCII, and no IP address. @see https://www.rfc-editor.org/rfc/rfc1123#section-2.1 */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text) && !ALL_DIGITS.test(text);
}

/** Whether it is an IP address in brackets. @see https://www.rfc-editor.org/rfc/rfc5321#section-4.1.3 */
export function isAddressLiteral(text: string): boolean {
  return /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[\da-f:.]+)\]$/i.test(text);
}
