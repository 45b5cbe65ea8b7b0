// What the bars are stacked by: kinds of events, from the bottom of a bar to its top.
import type { Aggregate, Bucket } from "../../api/contract";
import type { Pile } from "./bars";

export interface Stack {
  /** The field whose values are the kinds; null where the histogram itself tells them apart. */
  field: "action_type" | "result" | null;
  kinds: readonly string[];
}

/** `rest` is what is of no other kind. */
export const STACKS = {
  security: { field: null, kinds: ["rest", "security"] },
  type: { field: "action_type", kinds: ["rest", "create", "update", "delete"] },
  result: { field: "result", kinds: ["success", "failure", "denied"] },
} as const satisfies Record<string, Stack>;

export type StackName = keyof typeof STACKS;

/** The buckets with how many events of each kind are in them; `groups` are counts by the stack's field, for the same range and interval. */
export function piles(buckets: readonly Bucket[], stack: Stack, groups: Aggregate["rows"]): Pile[] {
  if (stack.field === null) return buckets.map(({ start, count, security }) => ({ start, count, parts: { rest: count - security, security } }));
  const counts = new Map<string, number>();
  for (const { group, start, metrics } of groups) counts.set(`${start} ${String(group[stack.field])}`, metrics[COUNT] ?? 0);
  return buckets.map(({ start, count }) => {
    const parts = Object.fromEntries(stack.kinds.map((kind) => [kind, counts.get(`${start} ${kind}`) ?? 0]));
    const named = Object.values(parts).reduce((total, of) => total + of, 0);
    return { start, count, parts: { ...parts, ...(stack.kinds.includes("rest") ? { rest: Math.max(0, count - named) } : {}) } };
  });
}

/** The metric's name in `groups`. */
export const COUNT = "count";
