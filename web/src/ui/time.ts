// Instants in words, in the reader's time zone.

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "long" });
const DAY_AND_MONTH = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });
const ZONE = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** `09:14:07` */
export function clock(instant: string): string {
  return CLOCK.format(new Date(instant));
}

/** `20 Nov 2026, 09:14:07.482` */
export function fullTime(instant: string): string {
  const date = new Date(instant);
  return `${DAY.format(date)}, ${CLOCK.format(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** `4 min ago`; from the day before yesterday on, the day. */
export function ago(instant: string, now: Date): string {
  const date = new Date(instant);
  const passed = now.getTime() - date.getTime();
  if (passed < -MINUTE) return "In the future";
  if (passed < MINUTE) return "Just now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`;
  const days = daysBetween(date, now);
  if (days === 0) return `${Math.floor(passed / HOUR)} h ago`;
  return days === 1 ? "Yesterday" : DAY.format(date);
}

/** The heading of a day given as `2026-11-20`: `Today, 20 November`. */
export function dayHeading(day: string, now: Date): string {
  const date = new Date(`${day}T00:00:00`);
  const days = daysBetween(date, now);
  const name = days === 0 ? "Today" : days === 1 ? "Yesterday" : WEEKDAY.format(date);
  const year = date.getFullYear() === now.getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${name}, ${DAY_AND_MONTH.format(date)}${year}`;
}

/** The zone's short name at `now`, as in `GMT`. */
export function zoneName(now: Date): string {
  return ZONE.formatToParts(now).find((part) => part.type === "timeZoneName")?.value ?? "";
}

/** The zone's identifier, as in `Europe/London`. */
export function zoneId(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function duration(ms: number): string {
  if (ms < SECOND) return `${ms} ms`;
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(1)} s`;
  return ms < HOUR ? `${Math.round(ms / MINUTE)} min` : `${Math.round(ms / HOUR)} h`;
}

/** How many midnights lie between two instants; days of 23 and 25 hours count as days. */
function daysBetween(earlier: Date, later: Date): number {
  const midnight = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((midnight(later) - midnight(earlier)) / (24 * HOUR));
}
