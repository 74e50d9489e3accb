/**
 * How the text of each kind of setting becomes its value: one zod schema per kind.
 *
 * A schema reports every fault of its text, each in whole sentences; what is accepted instead is the setting's to say.
 */
import { isIP } from "node:net";
import { z } from "zod";
import type { Threshold } from "../domain/expiry.ts";
import { addressKey, mailboxFault, parseMailbox, splitAddressList } from "./address.ts";
import { parseDuration } from "./duration.ts";
import { nearest } from "./nearest.ts";
import { quoted } from "./problem.ts";
import { readSchedule, type Schedule } from "./schedule.ts";
import { readTimezone } from "./timezone.ts";

export type Refuse = (message: string) => void;
/** Reads a text; undefined after `refuse` was told why not. */
export type Read<T> = (text: string, refuse: Refuse) => T | undefined;
export type FieldSchema<T> = z.ZodType<T, string>;

const SHORTEST_SIGNING_KEY = 24;
/** Guessed by nobody, if it was drawn at random. */
const SHORTEST_ACCESS_TOKEN = 16;
/** No invitation lasts so long; far beyond it, there is no date so far ahead. */
const LONGEST_LEAD = "3650d";
const LONGEST_LEAD_MS = 3_650 * 86_400_000;

/** The schema of what `read` returns. */
export function field<T>(read: Read<T>): FieldSchema<T> {
  return z.string({ error: ({ input }) => typeFault(input) }).transform((text, context): T => {
    const value = read(text.trim(), (message) => context.addIssue({ code: "custom", message }));
    return value === undefined ? z.NEVER : value;
  });
}

/** Any text but an empty one. */
export const textField = field((text, refuse) => {
  if (text === "") refuse("It is empty.");
  return text === "" ? undefined : text;
});

/** A key, token or password that goes into a header: printable ASCII without spaces. */
export const secretField = field((text, refuse) => {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  refuse("It has a space, a line break or a character that is not ASCII, so it cannot be a key.");
  return undefined;
});

/** A token that others may try to guess. */
export const accessTokenField = field((text, refuse) => {
  if (!/^[\x21-\x7e]+$/.test(text)) {
    refuse("It has a space, a line break or a character that is not ASCII.");
  } else if (text.length < SHORTEST_ACCESS_TOKEN) {
    refuse(`It is shorter than ${SHORTEST_ACCESS_TOKEN} characters.`);
  } else {
    return text;
  }
  return undefined;
});

/** A key for signatures, of 24 bytes or more. @see https://www.standardwebhooks.com */
export const signingSecretField = field((text, refuse) => {
  const [, base64] = /^whsec_(.*)$/s.exec(text) ?? [];
  if (!/^[\x21-\x7e]+$/.test(text)) {
    refuse("It has a space, a line break or a character that is not ASCII.");
  } else if (base64 !== undefined && !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    refuse("What follows whsec_ is not base64.");
  } else if ((base64 === undefined ? text.length : Buffer.from(base64, "base64").length) < SHORTEST_SIGNING_KEY) {
    refuse(`It is shorter than ${SHORTEST_SIGNING_KEY} ${base64 === undefined ? "characters" : "bytes"}.`);
  } else {
    return text;
  }
  return undefined;
});

/** A bare address, without a display name. */
export const addressField = field((text, refuse) => {
  const mailbox = parseMailbox(text);
  if (mailbox !== null && mailbox.name === null) return mailbox.address;
  refuse(`It ${mailboxFault(text)}.`);
  return undefined;
});

/** One mailbox as given, display name allowed. */
export const mailboxField = field((text, refuse) => {
  if (parseMailbox(text) !== null) return text.trim();
  const several = splitAddressList(text).length > 1;
  refuse(several ? "It is not one address; a name with a comma needs quotes." : `It ${mailboxFault(text)}.`);
  return undefined;
});

/** One recipient's address; a display name is dropped. */
export const recipientField = field((text, refuse) => {
  const mailbox = parseMailbox(text);
  if (mailbox !== null) return mailbox.address;
  const several = splitAddressList(text).length > 1;
  refuse(several ? "It is not one address; write several as a list." : `It ${mailboxFault(text)}.`);
  return undefined;
});

/** Addresses without their names, each once. */
export const addressListField = field((text, refuse) => {
  const parts = splitAddressList(text);
  const byKey = new Map<string, string>();
  let sound = parts.length > 0;
  if (!sound) refuse("It holds no address.");
  for (const part of parts) {
    const mailbox = parseMailbox(part);
    if (mailbox === null) {
      refuse(`${quoted(part)} ${mailboxFault(part)}${part.includes(";") ? "; commas separate several" : ""}.`);
      sound = false;
    } else if (!byKey.has(addressKey(mailbox.address))) {
      byKey.set(addressKey(mailbox.address), mailbox.address);
    }
  }
  return sound ? ([...byKey.values()] as readonly string[]) : undefined;
});

export const scheduleField: FieldSchema<Schedule> = field(readSchedule);

/** A schedule, or null for `off`. */
export const optionalScheduleField: FieldSchema<Schedule | null> = field((text, refuse) =>
  text.toLowerCase() === "off" ? null : readSchedule(text, refuse),
);

/** A duration in ms, of `leastMs` or more. @param mostMs well below 2³¹, from where on timers fire at once */
export function durationField(leastMs: number, mostMs: number): FieldSchema<number> {
  return field((text, refuse) => {
    const ms = parseDuration(text);
    if (ms === null) refuse("It is not a duration.");
    else if (ms < leastMs) refuse("It is too short.");
    else if (ms > mostMs) refuse("It is too long.");
    else return ms;
    return undefined;
  });
}

export function integerField(least: number, most: number): FieldSchema<number> {
  return field((text, refuse) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    refuse(`It is not a whole number from ${least} to ${most}.`);
    return undefined;
  });
}

/** One threshold. */
export const thresholdField = field((text, refuse) => {
  const threshold = parseThreshold(text.toLowerCase());
  if (threshold === null) refuse(`It is ${thresholdFault(text)}.`);
  return threshold ?? undefined;
});

/** Thresholds in the order given. */
export const thresholdsField = field((text, refuse) => {
  const names = text.split(",").map((part) => part.trim().toLowerCase());
  const thresholds: Threshold[] = [];
  for (const name of names) {
    const threshold = parseThreshold(name);
    const twin = threshold && twinOf(threshold, thresholds);
    if (threshold === null) refuse(`${quoted(name)} is ${thresholdFault(name)}.`);
    else if (twin) refuse(`${quoted(twin.name)} and ${quoted(name)} are the same threshold.`);
    else thresholds.push(threshold);
  }
  return thresholds.length === names.length ? (thresholds as readonly Threshold[]) : undefined;
});

/** An IANA time zone in its usual spelling. */
export const timezoneField = field((text, refuse) => readTimezone(text, refuse));

export const hostField = field((text, refuse) => {
  if (isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text)) return text;
  refuse("It is neither an IP address nor a host name; a port goes into HTTP_PORT.");
  return undefined;
});

/** A time of day by the clock, in minutes after midnight. */
export const clockField = field((text, refuse) => {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours !== undefined && minutes !== undefined) return Number(hours) * 60 + Number(minutes);
  refuse("It is not a time of day.");
  return undefined;
});

/** A watch's name. It becomes part of references (`ops/17`), and routes match it by patterns. */
export const watchNameField = field((text, refuse) => {
  const sound = /^[^\p{C}\p{Zl}\p{Zp}/*]{1,64}$/u.test(text) && !text.startsWith("!");
  if (!sound) refuse("It is not a name that a watch can have.");
  return sound ? text : undefined;
});

/** A pattern with `*` for any text and `!` for negation. */
export const patternField = field((text, refuse) => {
  if (text !== "" && text !== "!") return text;
  refuse("It is empty; a pattern for any text is *.");
  return undefined;
});

/** One of a few words, upper and lower case alike. */
export function wordField<const W extends string>(words: readonly W[]): FieldSchema<W> {
  return field((text, refuse) => {
    const word = words.find((known) => known === text.toLowerCase());
    if (word === undefined) refuse(`It is not a known word; did you mean ${nearest(text, words)?.name}?`);
    return word;
  });
}

function parseThreshold(name: string): Threshold | null {
  const percent = /^([1-9]\d?)%$/.exec(name)?.[1];
  if (percent !== undefined) return { kind: "share", name, share: Number(percent) / 100 };
  const ms = parseDuration(name);
  return ms === null || ms === 0 || ms > LONGEST_LEAD_MS ? null : { kind: "lead", name, ms };
}

function thresholdFault(name: string): string {
  return (parseDuration(name) ?? 0) > LONGEST_LEAD_MS
    ? `longer than ${LONGEST_LEAD}`
    : "neither a duration nor a percentage from 1% to 99%";
}

/** One of the others that is the same threshold, however it is written. */
export function twinOf(threshold: Threshold, others: readonly Threshold[]): Threshold | undefined {
  return others.find((other) => sizeOf(other) === sizeOf(threshold));
}

function sizeOf(threshold: Threshold): string {
  return threshold.kind === "lead" ? `${threshold.ms} ms` : `${threshold.share}`;
}

/** What is wrong with something that should be text: YAML knows other types. */
function typeFault(input: unknown): string {
  if (input === null || input === undefined) return "It has no value.";
  if (Array.isArray(input)) return "It is a list and not one text.";
  if (typeof input === "object") return "It is a mapping and not one text.";
  return `YAML reads it as a ${typeof input} and not as text: put it in quotes.`;
}
