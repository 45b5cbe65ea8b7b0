// The date range: what the URL says, what the button says, and which instants it means under a policy.
import type { Policy } from "../api/contract";
import { addDays, daysBetween, UTC, type Zone } from "../ui/zone";
import { wordsOf } from "../ui/words";
import en from "./words.en.json";

/**
 * Days of `last` are calendar days, today among them. A custom range's ends are days (`2026-11-20`, the last one included) or
 * instants (RFC 3339, the last one excluded); empty means open.
 */
export type Range =
  | { kind: "preset"; preset: Preset }
  | { kind: "last"; count: number; unit: Unit }
  | { kind: "custom"; from: string; to: string };

const PRESETS = ["today", "yesterday", "all"] as const;
export type Preset = (typeof PRESETS)[number];

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
export type Unit = keyof typeof UNITS;

export const ALL: Range = { kind: "preset", preset: "all" };

/** What of a policy is about ranges. */
export type Limits = Pick<Policy, "default_range_days" | "max_range_days" | "retention_days">;

const say = wordsOf({ en });

/** No event is older: the server takes years from 1 on. */
export const BEGINNING = "0001-01-01T00:00:00.000Z";

/** The range that a URL names; null, which is the policy's default, when it names none that exists. */
export function parseRange(text: string | null): Range | null {
  const preset = PRESETS.find((each) => each === text);
  if (preset !== undefined) return { kind: "preset", preset };
  const last = /^([1-9]\d{0,4})([mhd])$/.exec(text ?? "");
  if (last !== null) return { kind: "last", count: Number(last[1]), unit: last[2] as Unit };
  const [from, to, ...more] = (text ?? "").split("..");
  if (from === undefined || to === undefined || more.length > 0) return null;
  return (from === "" || isEnd(from)) && (to === "" || isEnd(to)) ? customRange(from, to) : null;
}

export function printRange(range: Range): string {
  if (range.kind === "preset") return range.preset;
  return range.kind === "last" ? `${range.count}${range.unit}` : `${range.from}..${range.to}`;
}

/** A custom range; its ends are put in order, and two open ends are everything. */
export function customRange(from: string, to: string): Range {
  if (from === "" && to === "") return ALL;
  const ordered = from === "" || to === "" || startOf(from, UTC) <= startOf(to, UTC);
  return { kind: "custom", from: ordered ? from : to, to: ordered ? to : from };
}

/** What a policy shows when no range is asked for. */
export function defaultRange({ default_range_days, max_range_days }: Limits): Range {
  const days = Math.min(default_range_days ?? Infinity, max_range_days ?? Infinity);
  return days === Infinity ? ALL : { kind: "last", count: days, unit: "d" };
}

/** The range as a policy can answer it: all time is the widest range where there is one. */
function answerable(range: Range, { max_range_days }: Limits): Range {
  const isAll = range.kind === "preset" && range.preset === "all";
  return isAll && max_range_days !== null ? { kind: "last", count: max_range_days, unit: "d" } : range;
}

/** The instants of a range whose days are those of `zone`, as the server takes them: `from` included, `to` excluded. What is left out the server decides. */
export function resolve(asked: Range | null, now: Date, zone: Zone, limits: Limits): { from?: string; to?: string } {
  if (asked === null) return {};
  const range = answerable(asked, limits);
  const day = (offset: number) => zone.startOf(addDays(zone.dayOf(now), offset)).toISOString();
  if (range.kind === "last") return { from: range.unit === "d" ? day(1 - range.count) : rolling(range.count * UNITS[range.unit], now) };
  if (range.kind === "custom") {
    const to = range.to === "" ? undefined : endOf(range.to, zone);
    const from = range.from === "" ? openBeginning(to ?? now, zone, limits) : { from: startOf(range.from, zone).toISOString() };
    return { ...from, ...(to === undefined ? {} : { to: to.toISOString() }) };
  }
  switch (range.preset) {
    case "today":
      return { from: day(0) };
    case "yesterday":
      return { from: day(-1), to: day(0) };
    case "all":
      return openBeginning(now, zone, limits);
  }
}

/** So long before now, in steps that are small beside it: a range that moved with every look would be read anew each time. */
function rolling(length: number, now: Date): string {
  const step = Math.max(UNITS.m, length / 60);
  return new Date(Math.floor((now.getTime() - length) / step) * step).toISOString();
}

/** As early as a policy allows a range that ends at `end` to begin. Without `from` the server would begin at its default. */
function openBeginning(end: Date, zone: Zone, { default_range_days, max_range_days }: Limits): { from?: string } {
  if (max_range_days !== null) return { from: zone.startOf(addDays(zone.dayOf(before(end)), 1 - max_range_days)).toISOString() };
  return default_range_days === null ? {} : { from: BEGINNING };
}

/** Whether the range's instants change as time passes. */
export function isMoving(range: Range | null): boolean {
  return range === null || range.kind !== "custom" || range.to === "";
}

/** The range as it is at `now`, for good: others who open it later see the same time. */
export function pin(range: Range | null, now: Date, zone: Zone, limits: Limits): Range {
  if (range !== null && !isMoving(range)) return range;
  const { from, to = now.toISOString() } = range === null ? { from: defaultBeginning(now, zone, limits) } : resolve(range, now, zone, limits);
  const asDay = (instant: string) => (zone.startOf(zone.dayOf(new Date(instant))).toISOString() === instant ? zone.dayOf(new Date(instant)) : null);
  const last = asDay(to) === null ? to : addDays(asDay(to)!, -1);
  return customRange(from === undefined || from === BEGINNING ? "" : (asDay(from) ?? from), last);
}

/** Where the server lets a read without `from` begin. */
function defaultBeginning(now: Date, zone: Zone, limits: Limits): string | undefined {
  const { default_range_days: days, max_range_days: max } = limits;
  const rolled = days === null ? "" : new Date(now.getTime() - days * UNITS.d).toISOString();
  const earliest = max === null ? "" : (openBeginning(now, zone, limits).from ?? "");
  return (rolled > earliest ? rolled : earliest) || undefined;
}

/** How many calendar days a range covers, when that is more than the policy answers at once; else null. */
export function tooWide(range: Range, now: Date, zone: Zone, limits: Limits): number | null {
  const { from, to } = resolve(range, now, zone, limits);
  if (limits.max_range_days === null || from === undefined) return null;
  const last = to === undefined ? now : before(new Date(to));
  const days = daysBetween(zone.dayOf(new Date(from)), zone.dayOf(last)) + 1;
  return days > limits.max_range_days ? days : null;
}

/** The first day of which events are still kept; null when they are kept for ever. */
export function keptSince(now: Date, zone: Zone, { retention_days }: Limits): string | null {
  return retention_days === null ? null : addDays(zone.dayOf(now), -retention_days);
}

/** What a range is called; null is the policy's default. */
export function rangeLabel(asked: Range | null, zone: Zone, limits: Limits): string {
  const range = answerable(asked ?? defaultRange(limits), limits);
  if (range.kind === "preset") return say(range.preset);
  if (range.kind === "last") return say(({ m: "last_minutes", h: "last_hours", d: "last_days" } as const)[range.unit], { count: range.count });
  if (range.from === "") return say("until", { when: endLabel(range.to, zone) });
  if (range.to === "") return say("since", { when: endLabel(range.from, zone) });
  if (range.from === range.to) return endLabel(range.from, zone);
  const [from, to] = [endLabel(range.from, zone), endLabel(range.to, zone)];
  const sameDay = !isDay(range.from) && !isDay(range.to) && zone.dayOf(startOf(range.from, zone)) === zone.dayOf(startOf(range.to, zone));
  return `${from} – ${sameDay ? zone.format(startOf(range.to, zone), CLOCK) : to}`;
}

/** A range's instants in words, as the server gets them. */
export function spanLabel(range: Range | null, now: Date, zone: Zone, limits: Limits): string {
  const pinned = pin(range, now, zone, limits);
  if (!isMoving(range) || pinned.kind !== "custom") return rangeLabel(pinned, zone, limits);
  const ended = resolve(range, now, zone, limits).to !== undefined;
  return ended ? rangeLabel(pinned, zone, limits) : pinned.from === "" ? say("all") : say("until_now", { when: endLabel(pinned.from, zone) });
}

/** The range's ends as days, the last one included; empty where it is open. */
export function daysOf(range: Range | null, now: Date, zone: Zone, limits: Limits): { from: string; to: string } {
  const { from, to } = resolve(range ?? defaultRange(limits), now, zone, limits);
  const last = to === undefined ? "" : zone.dayOf(before(new Date(to)));
  return { from: from === undefined || from === BEGINNING ? "" : zone.dayOf(new Date(from)), to: last };
}

const DAY = { day: "numeric", month: "short", year: "numeric" } as const;
const CLOCK = { hour: "2-digit", minute: "2-digit" } as const;

function endLabel(end: string, zone: Zone): string {
  const start = startOf(end, zone);
  return isDay(end) ? zone.format(start, DAY) : `${zone.format(start, DAY)}, ${zone.format(start, CLOCK)}`;
}

/** Whether a text is a day that there is. */
function isDay(end: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(end) && !Number.isNaN(Date.parse(end)) && new Date(end).toISOString().startsWith(end);
}

/** Whether a text can be an end of a custom range. */
export function isEnd(end: string): boolean {
  return isDay(end) || (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(end) && isDay(end.slice(0, 10)) && !Number.isNaN(Date.parse(end)));
}

function startOf(end: string, zone: Zone): Date {
  return isDay(end) ? zone.startOf(end) : new Date(end);
}

function endOf(end: string, zone: Zone): Date {
  return isDay(end) ? zone.startOf(addDays(end, 1)) : new Date(end);
}

/** The last instant before another. */
function before(instant: Date): Date {
  return new Date(instant.getTime() - 1);
}
