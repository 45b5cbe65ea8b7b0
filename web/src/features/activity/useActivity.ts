// What the activity shows of an address: pages of events, arrivals, the count, and what is wrong.
//
// Invariants
// - The last good list stays until the next one is there; a faulty query or a failure never empties the screen.
// - An event is in the list once, whether a page or the stream had it first; the count follows arrivals.
//
// Not here: the stream itself (useLive.ts), holding the list still (hold.ts), the order (timeline.ts).
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Event, Filters, Page, Policy } from "../../api/contract";
import { Problem, queryFault, type QueryFault } from "../../api/problem";
import type { Screen } from "../../screen";
import { useZone } from "../../ui/useZone";
import type { Address } from "../../query/address";
import { resolve } from "../../query/range";
import { both, terms } from "../../query/terms";
import { useHold } from "./hold";
import { merge } from "./timeline";
import { ARRIVALS_MAX, useLive, type LiveState } from "./useLive";

const PAGE_EVENTS = 100;

/** The first words of the keys of what is asked of the log: what events to come change. */
const OF_THE_LOG = ["events", "count", "condition", "histogram"] as const;

export type List =
  | { kind: "loading" }
  | { kind: "failed"; problem: Problem }
  /** The query is faulty, and there was no good one before it. */
  | { kind: "faulty" }
  /** `of` nothing at all, or nothing that matches. */
  | { kind: "empty"; of: "ledger" | "filters" | "retention" }
  /** `isWaiting` while these are the events of the query before. */
  | { kind: "ready"; events: Event[]; isWaiting: boolean; more: "none" | "some" | "loading" };

export interface Activity {
  list: List;
  /** Events that arrived while this list was on the screen. */
  fresh: ReadonlySet<string>;
  filters: Filters;
  count: { events: number; ms: number } | null;
  /** The ledger's size, null while unknown. */
  size: number | null;
  warnings: string[];
  /** How many arrivals there were since the list was read. */
  arrived: number;
  /** What is wrong with the query's text; the list is then that of the last good one. */
  fault: QueryFault | null;
  /** A failure behind a list that is still shown. */
  problem: Problem | null;
  live: LiveState;
  /** Arrivals that the list does not show because it is held. */
  waiting: number;
  loadMore: () => void;
  retry: () => void;
  /** Gives up a query that takes long, and goes back to the one whose events are shown; null when none is shown or nothing is on the way. */
  cancel: (() => void) | null;
}

interface Wish {
  /** Whether new events are to be followed. */
  isLive: boolean;
  /** Whether the list is to stay still while they come. */
  isHeld: boolean;
  onAddress: (address: Address) => void;
}

/** Everything that the screen shows of an address, kept up to date. */
export function useActivity({ client, policy }: Pick<Screen, "client" | "policy">, address: Address, now: Date, { isLive, isHeld, onAddress }: Wish): Activity {
  const queries = useQueryClient();
  const zone = useZone();
  const { from, to } = resolve(address.range, now, zone, policy);
  const q = areReadsHidden(policy, address) ? both(address.query, "-type:read") : address.query.trim();
  const { order } = address;
  const filters = useMemo<Filters>(() => ({ q, from, to }), [q, from, to]);

  const reread = useCallback(() => OF_THE_LOG.forEach((name) => void queries.invalidateQueries({ queryKey: [name] })), [queries]);

  const pages = useInfiniteQuery({
    queryKey: ["events", filters, order],
    queryFn: ({ pageParam, signal }) => client.events({ ...filters, order, limit: PAGE_EVENTS, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const good = useLastGood(pages.data?.pages, pages.isSuccess && !pages.isPlaceholderData);
  const problem = pages.error instanceof Problem ? pages.error : null;
  const fault = problem === null ? null : queryFault(problem);
  const isCurrent = good !== null && good === pages.data?.pages && !pages.isPlaceholderData;

  const size = good?.[0]?.size ?? null;
  const epoch = good?.[0]?.events[0]?.epoch;
  const mark = !isCurrent || size === null || epoch === undefined ? null : { epoch, sequence: size - 1 };
  // A list that could not be read is read again once the stream says that the server is back.
  const isReady = isCurrent || (problem !== null && fault === null);
  const { state: live, arrivals } = useLive(client, filters, { isOn: isLive && order === "desc", isReady, mark }, { onOpen: reread });

  // A page speaks of the ledger's first `size` events: an arrival below is on it or on a page to come.
  const fresh = useMemo(() => (isCurrent ? arrivals.filter((event) => event.sequence >= (size ?? 0)) : []), [arrivals, size, isCurrent]);
  const { shown, waiting } = useHold(fresh, isHeld, filters);
  const events = useMemo(() => (good === null ? null : merge(good.map((page) => page.events), shown)), [good, shown]);
  useEffect(() => {
    if (shown.length > ARRIVALS_MAX) reread();
  }, [shown.length, reread]);
  const shownAddress = useLastGood(address, isCurrent);

  const count = useQuery({
    queryKey: ["count", filters],
    queryFn: async ({ signal }) => {
      const begun = performance.now();
      const answer = await client.count(filters, signal);
      return { ...answer, ms: Math.max(1, Math.round(performance.now() - begun)) };
    },
    placeholderData: keepPreviousData,
    enabled: problem === null,
  });
  const counted = useLastGood(count.data, count.isSuccess) ?? undefined;
  const later = counted === undefined ? 0 : arrivals.filter((event) => event.sequence >= counted.size).length;

  return {
    list: listOf(keptSince(policy, now), events, problem, pages, problem === null && pages.isPlaceholderData),
    fresh: useMemo(() => new Set(shown.map((event) => event.id)), [shown]),
    filters,
    count: counted === undefined ? null : { events: counted.count + later, ms: counted.ms },
    size: size === null ? null : Math.max(size, ...fresh.map((event) => event.sequence + 1)),
    warnings: good?.[0]?.warnings?.map((warning) => warning.detail) ?? [],
    arrived: fresh.length,
    fault,
    problem: fault === null ? problem : null,
    live,
    waiting,
    loadMore: () => void pages.fetchNextPage(),
    retry: reread,
    cancel: shownAddress === null || !pages.isPlaceholderData || problem !== null ? null : () => onAddress(shownAddress),
  };
}

function listOf(since: Date | null, events: Event[] | null, problem: Problem | null, pages: { isFetchingNextPage: boolean; hasNextPage: boolean; data: { pages: Page[] } | undefined }, isWaiting: boolean): List {
  if (events === null && problem !== null) return queryFault(problem) === null ? { kind: "failed", problem } : { kind: "faulty" };
  if (events === null) return { kind: "loading" };
  const first = pages.data?.pages[0];
  if (events.length === 0 && first?.size === 0) return { kind: "empty", of: "ledger" };
  if (events.length === 0) return { kind: "empty", of: first !== undefined && isGone(first, since) ? "retention" : "filters" };
  return { kind: "ready", events, isWaiting, more: pages.isFetchingNextPage ? "loading" : pages.hasNextPage ? "some" : "none" };
}

/** Whether all of a page's range lies before what is kept. Events are kept from their receipt, so that the range may still have some. */
function isGone({ range, warnings = [] }: Page, keptSince: Date | null): boolean {
  return keptSince !== null && range.to !== null && range.to <= keptSince.toISOString() && warnings.some(({ code }) => code === "beyond_retention");
}

/** When what is received then is removed about now; null when nothing ever is. */
export function keptSince({ retention_days }: Policy, now: Date): Date | null {
  return retention_days === null ? null : new Date(now.getTime() - retention_days * 86_400_000);
}

/** Whether the policy leaves out events that only read, and nobody asks for them. */
export function areReadsHidden(policy: Policy, { query, reads }: Pick<Address, "query" | "reads">): boolean {
  return policy.hide_reads && !reads && !terms(query).some((term) => (term.kind === "field" && term.field === "action_type") || (term.kind === "expression" && /type:/.test(term.text)));
}

/** The newest good value, kept while its successor is on the way or has failed. */
function useLastGood<T>(value: T | undefined, isGood: boolean): T | null {
  const [kept, setKept] = useState<T | null>(null);
  if (isGood && value !== undefined && value !== kept) {
    setKept(value);
    return value;
  }
  return kept;
}
