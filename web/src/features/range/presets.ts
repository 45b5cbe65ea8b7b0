// The ranges that the picker offers by name, as the policy has it.
import type { Policy, PresetName } from "../../api/contract";
import { defaultRange, parseRange, printRange, type Range } from "../../query/range";

type Setting = Pick<Policy, "presets" | "default_range_days" | "max_range_days" | "retention_days">;

/** What the URL says of each; `custom` is the calendar. */
const RANGES: Record<Exclude<PresetName, "custom">, string> = {
  today: "today",
  yesterday: "yesterday",
  last_7_days: "7d",
  last_28_days: "28d",
  last_30_days: "30d",
  last_90_days: "90d",
};
const BUILT_IN = ["today", "yesterday", "7d", "28d", "all"];

/** The default range first, when it is none of the others; what is wider than the policy allows is left out. */
export function offeredRanges(policy: Setting): Range[] {
  const names = policy.presets.length === 0 ? BUILT_IN : policy.presets.flatMap((name) => (name === "custom" ? [] : [RANGES[name]]));
  const usual = defaultRange(policy);
  const texts = new Set(names.includes(printRange(usual)) ? names : [printRange(usual), ...names]);
  return [...texts].flatMap((text) => parseRange(text) ?? []).filter((range) => isNarrowEnough(range, policy));
}

/** Whether a reader may choose days of their own. */
export function offersCustom({ presets }: Pick<Setting, "presets">): boolean {
  return presets.length === 0 || presets.includes("custom");
}

function isNarrowEnough(range: Range, { max_range_days }: Setting): boolean {
  if (max_range_days === null) return true;
  if (range.kind === "last") return range.count <= max_range_days;
  return range.kind === "preset" && range.preset !== "all";
}
