// Instants in words, in a given time zone.
import { daysBetween, type Zone } from "./zone";

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
  const date = new Date(instant);
  const ms = String(((date.getTime() % SECOND) + SECOND) % SECOND).padStart(3, "0");
  return `${zone.format(date, DAY)}, ${zone.format(date, CLOCK)}.${ms}`;
}

/** `20 November 2026` */
export function longDate(instant: string, zone: Zone): string {
  return zone.format(new Date(instant), { day: "numeric", month: "long", year: "numeric" });
}

/** `4 min ago`, `3 years ago`: the nearest whole step that has passed. */
export function ago(instant: string, now: Date, zone: Zone): string {
  const date = new Date(instant);
  const passed = now.getTime() - date.getTime();
  if (passed < -MINUTE) return "In the future";
  if (passed < MINUTE) return "Just now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`;
  const days = daysBetween(zone.dayOf(date), zone.dayOf(now));
  if (days === 0) return `${Math.floor(passed / HOUR)} h ago`;
  if (days === 1) return "Yesterday";
  if (days < 60) return `${days} days ago`;
  return days < 730 ? `${Math.floor(days / 30.44)} months ago` : `${Math.floor(days / 365.25)} years ago`;
}

/** The heading of a day given as `2026-11-20`: `Today, 20 November`. */
export function dayHeading(day: string, now: Date, zone: Zone): string {
  const today = zone.dayOf(now);
  const start = zone.startOf(day);
  const days = daysBetween(day, today);
  const name = days === 0 ? "Today" : days === 1 ? "Yesterday" : zone.format(start, { weekday: "long" });
  const year = day.slice(0, -6) === today.slice(0, -6) ? "" : ` ${Number(day.slice(0, -6))}`;
  return `${name}, ${zone.format(start, { day: "numeric", month: "long" })}${year}`;
}

export function duration(ms: number): string {
  if (ms < SECOND) return `${ms} ms`;
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  return ms < 48 * HOUR ? `${Math.round(ms / HOUR)} h` : `${Math.round(ms / (24 * HOUR))} days`;
}
