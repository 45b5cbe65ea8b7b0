import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Filters, Interval } from "../../api/contract";
import { BEGINNING } from "../../query/range";
import { useScreen } from "../../screen";
import { useZone } from "../../ui/useZone";
import { addDays, type Zone } from "../../ui/zone";
import { bars, intervalFor, type Bar, type Span } from "./bars";
import { COUNT, piles, STACKS, type StackName } from "./stacks";

/** Events that keep arriving are drawn so much later, all at once. */
const DELAY_MS = 1_500;
const HOUR_MS = 3_600_000;

export interface Drawn {
  bars: Bar[];
  interval: Interval;
  stack: StackName;
}

/** The bars of what matches; null until they are known. `arrived` counts the events that came since. */
export function useHistogram(filters: Filters, now: Date, arrived: number, stack: StackName): Drawn | null {
  const { client } = useScreen();
  const queries = useQueryClient();
  const zone = useZone();
  // Where nothing else says when the range begins it is drawn from the oldest event that matches.
  const first = useQuery({
    queryKey: ["histogram", "first", filters],
    queryFn: async ({ signal }) => {
      const { events, range } = await client.events({ ...filters, order: "asc", limit: 1 }, signal);
      return { oldest: events[0]?.occurred_at, from: range.from ?? undefined };
    },
    placeholderData: keepPreviousData,
  });
  const span = first.data === undefined ? null : spanOf(first.data, filters.to, now, zone);
  const answer = useQuery({
    queryKey: ["histogram", { ...filters, ...span, zone: zone.id, stack }],
    queryFn: async ({ signal }): Promise<Drawn> => {
      const interval = intervalFor(span!);
      const { field } = STACKS[stack];
      const asked = { ...span!, ...(filters.q ? { filter: filters.q } : {}), interval, metrics: [{ name: COUNT, op: "count" as const }] };
      const [{ buckets }, { rows }] = await Promise.all([
        client.histogram({ ...filters, ...span, interval, time_zone: zone.id }, signal),
        field === null ? { rows: [] } : client.aggregate({ ...asked, group_by: [field] }, signal),
      ]);
      return { bars: bars(piles(buckets, STACKS[stack], rows), span!), interval, stack };
    },
    enabled: span !== null && !first.isPlaceholderData,
    placeholderData: keepPreviousData,
  });
  useEffect(() => {
    if (arrived === 0) return;
    const timer = setTimeout(() => void queries.invalidateQueries({ queryKey: ["histogram"] }), DELAY_MS);
    return () => clearTimeout(timer);
  }, [arrived, queries]);
  return answer.data ?? null;
}

/** The span to draw; its open end is a whole hour or day, so that it stays the same while time passes. Null where nothing matches. */
function spanOf({ oldest, from }: { oldest?: string | undefined; from?: string | undefined }, to: string | undefined, now: Date, zone: Zone): Span | null {
  if (oldest === undefined) return null;
  const begin = from === undefined || from === BEGINNING ? zone.startOf(zone.dayOf(new Date(oldest))).toISOString() : from;
  const isShort = intervalFor({ from: begin, to: to ?? now.toISOString() }) === "hour";
  const open = isShort ? new Date((Math.floor(now.getTime() / HOUR_MS) + 1) * HOUR_MS) : zone.startOf(addDays(zone.dayOf(now), 1));
  const end = to ?? open.toISOString();
  return begin < end ? { from: begin, to: end } : null;
}
