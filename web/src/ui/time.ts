// Instants in words, in a given time zone.
import { number, wordsOf } from "./words";
import en from "./words.en.json";
import { daysBetween, type Zone } from "./zone";

const say = wordsOf({ en });

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
const DAY = { day: "numeric", month: "short", year: "numeric" } as const;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** `09:14:07` */
export function clock(instant: string, zone: Zone): string {
  return zone.format(new Date(instant), CLOCK);
}

/** `20 Nov 2026, 09:14:07.482` */
export function fullTime(instant: string, zone: Zone): string {
  return zone.format(new Date(instant), { ...DAY, ...CLOCK, fractionalSecondDigits: 3 });
}

/** `20 November 2026` */
export function longDate(instant: string, zone: Zone): string {
  return zone.format(new Date(instant), { day: "numeric", month: "long", year: "numeric" });
}

/** `4 min ago`, `3 years ago`: the nearest whole step that has passed. */
export function ago(instant: string, now: Date, zone: Zone): string {
  const date = new Date(instant);
  const passed = now.getTime() - date.getTime();
  if (passed < -MINUTE) return say("in_future");
  if (passed < MINUTE) return say("just_now");
  if (passed < HOUR) return say("minutes_ago", { count: Math.floor(passed / MINUTE) });
  const days = daysBetween(zone.dayOf(date), zone.dayOf(now));
  if (days === 0) return say("hours_ago", { count: Math.floor(passed / HOUR) });
  if (days === 1) return say("yesterday");
  if (days < 60) return say("days_ago", { count: days });
  return days < 730 ? say("months_ago", { count: Math.floor(days / 30.44) }) : say("years_ago", { count: Math.floor(days / 365.25) });
}

/** The heading of a day given as `2026-11-20`: `Today, 20 November`. */
export function dayHeading(day: string, now: Date, zone: Zone): string {
  const today = zone.dayOf(now);
  const start = zone.startOf(day);
  const days = daysBetween(day, today);
  const name = days === 0 ? say("today") : days === 1 ? say("yesterday") : zone.format(start, { weekday: "long" });
  const isThisYear = day.slice(0, -6) === today.slice(0, -6);
  return say("day", { name, date: zone.format(start, { day: "numeric", month: "long", ...(isThisYear ? {} : { year: "numeric" }) }) });
}

/** `48 s`, `15 min`: of what is known in whole seconds. */
export function wholeDuration(count: number): string {
  return count < MINUTE / SECOND ? seconds(count, 0) : duration(count * SECOND);
}

function seconds(count: number, digits: number): string {
  return say("seconds", { count: number(count, { minimumFractionDigits: digits, maximumFractionDigits: digits }) });
}

/** `480 ms`, `2.4 s`, `180 days`: in the largest unit that is not too coarse. */
export function duration(ms: number): string {
  if (ms < SECOND) return say("milliseconds", { count: ms });
  if (ms < MINUTE) return seconds(ms / SECOND, 1);
  if (ms < HOUR) return say("minutes", { count: Math.round(ms / MINUTE) });
  return ms < 48 * HOUR ? say("hours", { count: Math.round(ms / HOUR) }) : say("days", { count: Math.round(ms / (24 * HOUR)) });
}
