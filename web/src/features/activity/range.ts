// The date range: what the URL says, what the button says, and which instants it means.

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

/** The range that a URL names; everything when it names none that exists. */
export function parseRange(text: string | null): Range {
  const preset = PRESETS.find((each) => each === text);
  if (preset !== undefined) return { kind: "preset", preset };
  const [from, to, ...more] = (text ?? "").split("..");
  if (from === undefined || to === undefined || more.length > 0) return ALL;
  return (from === "" || isEnd(from)) && (to === "" || isEnd(to)) ? customRange(from, to) : ALL;
}

export function printRange(range: Range): string {
  return range.kind === "preset" ? range.preset : `${range.from}..${range.to}`;
}

/** A custom range; its ends are put in order, and two open ends are everything. */
export function customRange(from: string, to: string): Range {
  if (from === "" && to === "") return ALL;
  const ordered = from === "" || to === "" || startOf(from) <= startOf(to);
  return { kind: "custom", from: ordered ? from : to, to: ordered ? to : from };
}

/** The instants of a range in the local time zone, as the server takes them: `from` included, `to` excluded. */
export function resolve(range: Range, now: Date): { from?: string; to?: string } {
  if (range.kind === "custom") {
    const from = range.from === "" ? {} : { from: startOf(range.from).toISOString() };
    const to = range.to === "" ? {} : { to: endOf(range.to).toISOString() };
    return { ...from, ...to };
  }
  const day = (offset: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + offset).toISOString();
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

export function rangeLabel(range: Range): string {
  if (range.kind === "preset") return LABELS[range.preset];
  if (range.from === "") return `Until ${endLabel(range.to)}`;
  if (range.to === "") return `Since ${endLabel(range.from)}`;
  if (range.from === range.to) return endLabel(range.from);
  const [from, to] = [endLabel(range.from), endLabel(range.to)];
  const sameDay = !isDay(range.from) && !isDay(range.to) && localDay(startOf(range.from)) === localDay(startOf(range.to));
  return `${from} – ${sameDay ? CLOCK.format(startOf(range.to)) : to}`;
}

/** The range's ends as days, for the two date fields. */
export function daysOf(range: Range, now: Date): { from: string; to: string } {
  const { from, to } = resolve(range, now);
  const last = to === undefined ? "" : localDay(new Date(new Date(to).getTime() - 1));
  return { from: from === undefined ? "" : localDay(new Date(from)), to: last };
}

/** The local calendar day of an instant, as `2026-11-20`. */
export function localDay(instant: Date): string {
  const pad = (number: number, width: number) => String(number).padStart(width, "0");
  return `${pad(instant.getFullYear(), 4)}-${pad(instant.getMonth() + 1, 2)}-${pad(instant.getDate(), 2)}`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

function endLabel(end: string): string {
  const start = startOf(end);
  return isDay(end) ? DAY.format(start) : `${DAY.format(start)}, ${CLOCK.format(start)}`;
}

function isDay(end: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(end);
}

function isEnd(end: string): boolean {
  const shaped = isDay(end) || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(end);
  return shaped && !Number.isNaN(startOf(end).getTime());
}

function startOf(end: string): Date {
  return new Date(isDay(end) ? `${end}T00:00:00` : end);
}

function endOf(end: string): Date {
  if (!isDay(end)) return new Date(end);
  const start = startOf(end);
  return new Date(start.getFullYear(), start.getMonth(), start.getDate() + 1);
}
