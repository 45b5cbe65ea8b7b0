// A time zone: which calendar day an instant falls on, and when a day begins. Days are texts such as `2026-11-20`.
import { locale } from "./words";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Formats of one zone; each is made once, because making one costs more than using it a thousand times. */
export interface Zone {
  /** IANA name. */
  id: string;
  format: (instant: Date, options: Intl.DateTimeFormatOptions) => string;
  /** The calendar day of an instant. */
  dayOf: (instant: Date) => string;
  /** The first instant of a day. */
  startOf: (day: string) => Date;
  /** The short name at an instant, as in `GMT`. */
  nameAt: (instant: Date) => string;
}

/** The zone called `id`, or UTC when this browser does not know it. */
export function createZone(id: string): Zone {
  const formats = new Map<string, Intl.DateTimeFormat>();
  const formatOf = (options: Intl.DateTimeFormatOptions, language = locale()) => {
    const name = `${language} ${JSON.stringify(options)}`;
    const known = formats.get(name) ?? new Intl.DateTimeFormat(language, { ...options, timeZone: id });
    formats.set(name, known);
    return known;
  };
  try {
    formatOf(WALL, DIGITS);
  } catch {
    return UTC;
  }
  const offset = (instant: Date) => wallOf(formatOf(WALL, DIGITS), instant) - Math.floor(instant.getTime() / 1000) * 1000;
  const dayOf = (instant: Date) => dayText(new Date(instant.getTime() + offset(instant)));
  return {
    id,
    format: (instant, options) => formatOf(options).format(instant),
    dayOf,
    startOf: (day) => {
      const midnight = Date.parse(`${day}T00:00:00Z`);
      // Clocks may change at midnight itself, so the offsets of the day before and after are both tried.
      const found = [midnight - DAY, midnight + DAY].map((near) => new Date(midnight - offset(new Date(near))));
      const isStart = (instant: Date) => dayOf(instant) === day && dayOf(new Date(instant.getTime() - 1)) !== day;
      return found.find(isStart) ?? found[1]!;
    },
    nameAt: (instant) => {
      const parts = formatOf({ timeZoneName: "short" }).formatToParts(instant);
      return parts.find((part) => part.type === "timeZoneName")?.value ?? id;
    },
  };
}

/** The language of formats that are read again by [wallOf]: other ones have digits and eras of their own. */
const DIGITS = "en-GB";

const WALL: Intl.DateTimeFormatOptions = {
  calendar: "gregory",
  hourCycle: "h23",
  era: "short",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
};

export const UTC: Zone = createZone("UTC");

/** The day that is `count` days after `day`; before it when negative. */
export function addDays(day: string, count: number): string {
  return dayText(new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY));
}

/** How many days lie between two days. */
export function daysBetween(earlier: string, later: string): number {
  return Math.round((Date.parse(`${later}T00:00:00Z`) - Date.parse(`${earlier}T00:00:00Z`)) / DAY);
}

/** What the zone's clocks show at `instant`, to the second, as if they stood in UTC. */
function wallOf(format: Intl.DateTimeFormat, instant: Date): number {
  const parts = new Map(format.formatToParts(instant).map((part) => [part.type, part.value]));
  const [year, month, day, hour, minute, second] = (["year", "month", "day", "hour", "minute", "second"] as const).map((type) => Number(parts.get(type)));
  const wall = new Date(0);
  wall.setUTCFullYear(parts.get("era")?.startsWith("B") ? 1 - year! : year!, month! - 1, day!);
  return wall.setUTCHours(hour!, minute!, second!);
}

function dayText(date: Date): string {
  return date.toISOString().replace(/T.*/, "");
}
