/** Cuts the bytes of a connection into the units of its protocol, so that none is ever let through in part. */
import type { Crossing } from "./crossings.ts";

export type Unit = Pick<Crossing, "what" | "role"> & { readonly bytes: Buffer };

/** Takes bytes as they come; gives the units that they complete. */
export type Splitter = (bytes: Buffer) => readonly Unit[];

/** The two directions of one connection, which know of one another. */
export type Splitters = { readonly out: Splitter; readonly in: Splitter };

const LONGEST_WORDS = 80;

/** @returns where the next unit ends and what it is, or null where it is not complete */
type Cut = (bytes: Buffer) => (Pick<Unit, "what" | "role"> & { readonly end: number }) | null;

function splitter(cut: Cut): Splitter {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const units: Unit[] = [];
    for (let found = cut(rest); found !== null; found = cut(rest)) {
      const { end, what, role } = found;
      units.push({ what, role, bytes: rest.subarray(0, end) });
      rest = rest.subarray(end);
    }
    return units;
  };
}

/**
 * A request ends with the message upon which the server acts (Query, Sync, Flush, …), an answer with ReadyForQuery;
 * greetings, notifications and fatal errors are units of their own.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function postgresSplitters(): Splitters {
  let greeted = false;
  let asked = "";
  const request: Cut = (bytes) => {
    if (!greeted) {
      if (bytes.length < 4 || bytes.length < bytes.readInt32BE(0)) return null;
      greeted = true;
      return { end: bytes.readInt32BE(0), what: "startup", role: null };
    }
    for (let at = 0; ; ) {
      const message = messageAt(bytes, at);
      if (message === null) return null;
      if (message.type === "Q") asked = words(message.body);
      if (message.type === "P") asked = words(message.body.subarray(message.body.indexOf(0) + 1));
      if ("QSHXp".includes(message.type)) return { end: message.end, what: asked || message.type, role: null };
      at = message.end;
    }
  };
  const answer: Cut = (bytes) => {
    for (let at = 0; ; ) {
      const message = messageAt(bytes, at);
      if (message === null) return null;
      const fatal = message.type === "E" && /\0V(FATAL|PANIC)\0/.test(message.body.toString("latin1"));
      if ("ZRA".includes(message.type) || fatal) return { end: message.end, what: asked || message.type, role: null };
      at = message.end;
    }
  };
  return { out: splitter(request), in: splitter(answer) };
}

function messageAt(bytes: Buffer, at: number): { type: string; body: Buffer; end: number } | null {
  if (bytes.length < at + 5) return null;
  const end = at + 1 + bytes.readInt32BE(at + 1);
  if (bytes.length < end) return null;
  return { type: String.fromCharCode(bytes.readUInt8(at)), body: bytes.subarray(at + 5, end), end };
}

function words(body: Buffer): string {
  const end = body.indexOf(0);
  return tidy(body.subarray(0, end === -1 ? body.length : end).toString("utf8", 0, 200));
}

/** A command or a reply each, and the text of a mail with the dot that ends it. */
export function smtpSplitters(): Splitters {
  let sending: "commands" | "mail" | "sent" = "commands";
  const command: Cut = (bytes) => {
    const text = sending === "mail";
    const end = endOf(bytes, text ? "\r\n.\r\n" : "\r\n");
    if (end === null) return null;
    if (text) {
      sending = "sent";
      return { end, what: "the text of the mail", role: "mail" };
    }
    return { end, what: tidy(bytes.toString("utf8", 0, end)), role: null };
  };
  const reply: Cut = (bytes) => {
    const match = /^(?:\d{3}-.*\r\n)*(\d{3})(?: .*)?\r\n/.exec(bytes.toString("latin1"));
    if (match === null) return null;
    const what = tidy(match[0]);
    const role = sending === "sent" ? "answer" : null;
    sending = match[1] === "354" ? "mail" : "commands";
    return { end: match[0].length, what, role };
  };
  return { out: splitter(command), in: splitter(reply) };
}

/** A request without a body; a response whose length is said. */
export function httpSplitters(): Splitters {
  const request: Cut = (bytes) => {
    const end = endOf(bytes, "\r\n\r\n");
    return end === null ? null : { end, what: firstLine(bytes), role: null };
  };
  const response: Cut = (bytes) => {
    const headersEnd = endOf(bytes, "\r\n\r\n");
    if (headersEnd === null) return null;
    const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString("latin1", 0, headersEnd))?.[1] ?? "0";
    const end = headersEnd + Number(length);
    return bytes.length < end ? null : { end, what: firstLine(bytes), role: null };
  };
  return { out: splitter(request), in: splitter(response) };
}

function firstLine(bytes: Buffer): string {
  return tidy(bytes.toString("latin1", 0, bytes.indexOf("\r\n")));
}

function endOf(bytes: Buffer, mark: string): number | null {
  const at = bytes.indexOf(mark);
  return at === -1 ? null : at + mark.length;
}

function tidy(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, LONGEST_WORDS);
}
