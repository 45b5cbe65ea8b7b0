// A range as people type it: `2h`, `last 7 days`, `yesterday`, `2026-10-01..2026-10-07`.
import { customRange, isEnd, parseRange, type Range } from "./range";

const UNITS: Record<string, { unit: "m" | "h" | "d"; times: number }> = {
  m: { unit: "m", times: 1 },
  h: { unit: "h", times: 1 },
  d: { unit: "d", times: 1 },
  w: { unit: "d", times: 7 },
};

/** The range that a text means; null when it means none. */
export function typedRange(text: string): Range | null {
  const words = text.trim().replace(/\s+/g, " ");
  const known = parseRange(words.toLowerCase().replace(/^all time$/, "all")) ?? parseRange(words);
  if (known !== null) return known;
  const last = /^(?:last )?(\d{1,5}) ?(m|h|d|w)(?:in|inutes?|ours?|ays?|eeks?)?$/i.exec(words);
  if (last !== null) {
    const { unit, times } = UNITS[last[2]!.toLowerCase()]!;
    return parseRange(`${Number(last[1]) * times}${unit}`);
  }
  const open = /^(since|until) (\S+)$/i.exec(words);
  if (open !== null && isEnd(open[2]!)) return open[1]!.toLowerCase() === "since" ? customRange(open[2]!, "") : customRange("", open[2]!);
  const [from, to = from, ...more] = words.split(/ ?(?:\.\.|–| to ) ?/);
  return more.length === 0 && isEnd(from!) && isEnd(to!) ? customRange(from!, to!) : null;
}
