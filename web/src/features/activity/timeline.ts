// The list of events: newest first, each once.
import type { Event } from "../../api/contract";

/** Pages and later arrivals as one list in the order of pages: by `occurred_at`, then `sequence`, newest first. */
export function merge(pages: readonly Event[][], arrivals: readonly Event[]): Event[] {
  const paged = pages.flat();
  if (arrivals.length === 0) return paged;
  const known = new Set(paged.map((event) => event.id));
  const fresh = arrivals.filter((event) => !known.has(event.id) && known.add(event.id));
  return [...paged, ...fresh].sort(newestFirst);
}

/** Times are RFC 3339 in UTC with milliseconds, so that their texts compare as they do. */
function newestFirst(left: Event, right: Event): number {
  if (left.occurred_at !== right.occurred_at) return left.occurred_at < right.occurred_at ? 1 : -1;
  return right.sequence - left.sequence;
}
