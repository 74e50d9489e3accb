/** The encodings in which a server may echo what it was sent. */

const jsonUnits = (text: string) =>
  Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
const octetsOf = (text: string) =>
  [...Buffer.from(text)].map((octet) => `%${octet.toString(16).padStart(2, "0")}`).join("");
const htmlOf = (text: string) => [...text].map((character) => `&#${character.codePointAt(0)};`).join("");
const named = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** By their names. */
export const encodings: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  base64: (text) => Buffer.from(text).toString("base64"),
  "unpadded base64": (text) => Buffer.from(text).toString("base64").replace(/=+$/, ""),
  base64url: (text) => Buffer.from(text).toString("base64url"),
  "AUTH PLAIN": (text) => Buffer.from(`\0user@example.com\0${text}`).toString("base64"),
  "Basic with a user of another length": (text) => Buffer.from(`users:${text}`).toString("base64"),
  "base64 of a longer text": (text) => Buffer.from(`x ${text} and more`).toString("base64"),
  "base64 in lines of 76": (text) =>
    Buffer.from("x".repeat(50) + text)
      .toString("base64")
      .replace(/.{76}/g, "$&\r\n"),
  "escaped base64": (text) => encodeURIComponent(Buffer.from(text).toString("base64")),
  "base64 in JSON of PHP": (text) => Buffer.from(text).toString("base64").replaceAll("/", "\\/"),
  hexadecimal: (text) => Buffer.from(text).toString("hex"),
  "upper-case hexadecimal": (text) => Buffer.from(text).toString("hex").toUpperCase(),
  URL: encodeURIComponent,
  "URL in lower case": (text) => encodeURIComponent(text).replace(/%../g, (octet) => octet.toLowerCase()),
  form: (text) => new URLSearchParams([["", text]]).toString().slice(1),
  "every octet of a URL": octetsOf,
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  "JSON of PHP": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  "every unit of JSON": jsonUnits,
  "JSON in JSON": (text) => JSON.stringify(JSON.stringify(text)).slice(1, -1),
  "HTML, named": named,
  "HTML, numbered": htmlOf,
  "HTML in JSON": (text) => JSON.stringify(named(text)).slice(1, -1),
  "with an unseen character": (text) => `${text.slice(0, 5)}\u200b${text.slice(5)}`,
  "with a line break": (text) => `${text.slice(0, 5)}\n${text.slice(5)}`,
  "with a NUL": (text) => `${text.slice(0, 5)}\u0000${text.slice(5)}`,
  "a URL in HTML": (text) => named(encodeURIComponent(text)),
};
