// The date range: what the URL says, what the button says, and which instants it means.
import { addDays, UTC, type Zone } from "../ui/zone";

export const PRESETS = ["today", "yesterday", "7d", "28d", "all"] as const;
export type Preset = (typeof PRESETS)[number];

/**
 * A custom range's ends are days (`2026-11-20`, the last one included) or instants (RFC 3339, the last one excluded); empty
 * means open.
 */
export type Range = { kind: "preset"; preset: Preset } | { kind: "custom"; from: string; to: string };

export const ALL: Range = { kind: "preset", preset: "all" };

const LABELS: Record<Preset, string> = {
  today: "Today",
  yesterday: "Yesterday",
  "7d": "Last 7 days",
  "28d": "Last 28 days",
  all: "All time",
};

export function presetLabel(preset: Preset): string {
  return LABELS[preset];
}

/** The range that a URL names; null, which is the policy's default, when it names none that exists. */
export function parseRange(text: string | null): Range | null {
  const preset = PRESETS.find((each) => each === text);
  if (preset !== undefined) return { kind: "preset", preset };
  const [from, to, ...more] = (text ?? "").split("..");
  if (from === undefined || to === undefined || more.length > 0) return null;
  return (from === "" || isEnd(from)) && (to === "" || isEnd(to)) ? customRange(from, to) : null;
}

export function printRange(range: Range): string {
  return range.kind === "preset" ? range.preset : `${range.from}..${range.to}`;
}

/** A custom range; its ends are put in order, and two open ends are everything. */
export function customRange(from: string, to: string): Range {
  if (from === "" && to === "") return ALL;
  const ordered = from === "" || to === "" || startOf(from, UTC) <= startOf(to, UTC);
  return { kind: "custom", from: ordered ? from : to, to: ordered ? to : from };
}

/** The instants of a range whose days are those of `zone`, as the server takes them: `from` included, `to` excluded. What is left out the server decides. */
export function resolve(range: Range | null, now: Date, zone: Zone): { from?: string; to?: string } {
  if (range === null) return {};
  if (range.kind === "custom") {
    const from = range.from === "" ? {} : { from: startOf(range.from, zone).toISOString() };
    const to = range.to === "" ? {} : { to: endOf(range.to, zone).toISOString() };
    return { ...from, ...to };
  }
  const day = (offset: number) => zone.startOf(addDays(zone.dayOf(now), offset)).toISOString();
  switch (range.preset) {
    case "today":
      return { from: day(0) };
    case "yesterday":
      return { from: day(-1), to: day(0) };
    case "7d":
      return { from: day(-6) };
    case "28d":
      return { from: day(-27) };
    case "all":
      return {};
  }
}

export function rangeLabel(range: Range, zone: Zone): string {
  if (range.kind === "preset") return LABELS[range.preset];
  if (range.from === "") return `Until ${endLabel(range.to, zone)}`;
  if (range.to === "") return `Since ${endLabel(range.from, zone)}`;
  if (range.from === range.to) return endLabel(range.from, zone);
  const [from, to] = [endLabel(range.from, zone), endLabel(range.to, zone)];
  const sameDay = !isDay(range.from) && !isDay(range.to) && zone.dayOf(startOf(range.from, zone)) === zone.dayOf(startOf(range.to, zone));
  return `${from} – ${sameDay ? zone.format(startOf(range.to, zone), CLOCK) : to}`;
}

/** The range's ends as days, for the two date fields. */
export function daysOf(range: Range | null, now: Date, zone: Zone): { from: string; to: string } {
  const { from, to } = resolve(range, now, zone);
  const last = to === undefined ? "" : zone.dayOf(new Date(new Date(to).getTime() - 1));
  return { from: from === undefined ? "" : zone.dayOf(new Date(from)), to: last };
}

const DAY = { day: "numeric", month: "short", year: "numeric" } as const;
const CLOCK = { hour: "2-digit", minute: "2-digit" } as const;

function endLabel(end: string, zone: Zone): string {
  const start = startOf(end, zone);
  return isDay(end) ? zone.format(start, DAY) : `${zone.format(start, DAY)}, ${zone.format(start, CLOCK)}`;
}

function isDay(end: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(end);
}

function isEnd(end: string): boolean {
  const shaped = isDay(end) || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(end);
  return shaped && !Number.isNaN(Date.parse(end));
}

function startOf(end: string, zone: Zone): Date {
  return isDay(end) ? zone.startOf(end) : new Date(end);
}

function endOf(end: string, zone: Zone): Date {
  return isDay(end) ? zone.startOf(addDays(end, 1)) : new Date(end);
}
