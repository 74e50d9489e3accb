/** When each schedule runs next, for `check`: what an expression means shows best by its times. */
import type { Config } from "../config/config.ts";
import { slotsOf } from "../schedule/slots.ts";
import type { Finding } from "./findings.ts";

const NAMED_SLOTS = 3;

/** One for each watch, and one for the digest. */
export function scheduleFindings({ watches, digest, timezone }: Config, now: Date): readonly Finding[] {
  const schedules = watches.map(({ name, schedule, timezone: zone }) => ({ of: name, schedule, zone }));
  const all =
    digest === null ? schedules : [...schedules, { of: "the digest", schedule: digest.schedule, zone: timezone }];
  return all.map(({ of, schedule, zone }) => ({
    subject: `schedule of ${of}`,
    ok: true,
    text: `${schedule}: next at ${nextSlots(schedule, zone, now).join(", ")} (${zone})`,
  }));
}

function nextSlots(schedule: string, zone: string, now: Date): readonly string[] {
  const slots = slotsOf(schedule, zone);
  const show = showIn(zone, schedule.split(" ").length === 6);
  const shown: string[] = [];
  for (let slot = slots.after(now); shown.length < NAMED_SLOTS; slot = slots.after(slot)) shown.push(show(slot));
  return shown;
}

/** "Mon 2026-11-30 09:00 +01:00": with the offset, as clocks that are put back show the same time twice. */
function showIn(timeZone: string, withSeconds: boolean): (slot: Date) => string {
  const two = "2-digit";
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    year: "numeric",
    month: two,
    day: two,
    hour: two,
    minute: two,
    second: two,
    hourCycle: "h23",
    timeZoneName: "longOffset",
  });
  return (slot) => {
    const part = Object.fromEntries(format.formatToParts(slot).map(({ type, value }) => [type, value]));
    const time = `${part.hour}:${part.minute}${withSeconds ? `:${part.second}` : ""}`;
    const offset = part.timeZoneName === "GMT" ? "+00:00" : part.timeZoneName?.replace("GMT", "");
    return `${part.weekday} ${part.year}-${part.month}-${part.day} ${time} ${offset}`;
  };
}
