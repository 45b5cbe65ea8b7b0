import { lazy, Suspense, useCallback, useRef, useState } from "react";
import type { Event } from "../../api/contract";
import type { View } from "../../api/views";
import { useScreen } from "../../screen";
import { HELP_BUTTON } from "../../ui/helpButton";
import { useNow } from "../../ui/useNow";
import { Fallible } from "../../ui/Fallible";
import { useDelayed } from "../../ui/useDelayed";
import { useTitle } from "../../ui/useTitle";
import { wordsOf } from "../../ui/words";
import { ExportButton } from "../export/ExportButton";
import { ADD_FILTER, FilterButton } from "../query/FilterButton";
import { SearchBox } from "../query/SearchBox";
import { useNames } from "../query/useNames";
import { useView } from "../views/useView";
import { ViewsButton } from "../views/ViewsButton";
import { About, Breadcrumb } from "./About";
import { RangePicker } from "../range/RangePicker";
import { ShareButton } from "../range/ShareButton";
import { useScrolledAway } from "./hold";
import { ColumnsButton } from "./table/ColumnsButton";
import { EventTable, type TableHandle } from "./table/EventTable";
import { areReadsHidden, useActivity, type Activity as State } from "./useActivity";
import { ARRIVALS_MAX } from "./useLive";
import { usePrinting } from "./usePrinting";
import { useAddress } from "../../query/useAddress";
import { useShortcuts } from "./useShortcuts";
import type { Address } from "../../query/address";
import { clip } from "../../event/words";
import en from "./words.en.json";

const say = wordsOf({ en });
const Histogram = lazy(() => import("../histogram/Histogram"));

/** A query that takes longer can be given up. */
const SLOW_MS = 1_000;

const Badge = lazy(() => import("../integrity/Badge"));
const Detail = lazy(() => import("../detail/Detail"));
const ListState = lazy(() => import("./ListState"));
const Chips = lazy(() => import("../query/Chips"));
const Fault = lazy(() => import("../query/Fault").then(({ Fault }) => ({ default: Fault })));

const NO_EVENTS: Event[] = [];

/** The screen: everything that one organization's ledger has, and the event that was picked. */
export function Activity() {
  const { client, policy, root } = useScreen();
  const [address, go] = useAddress();
  const [isLive, setLive] = useState(true);
  const title = clip(policy.title ?? say("title"), 200);
  const view = useView(address, go);
  useTitle([view === null ? "" : clip(view.name, 100), clip(address.query.trim(), 100), title].filter(Boolean).join(" · "));
  const now = useNow();
  const printing = usePrinting();
  const beginning = useRef<HTMLDivElement>(null);
  const isAway = useScrolledAway(beginning);
  const state = useActivity({ client, policy }, address, now, { isLive, isHeld: isAway, onAddress: (shown) => go(shown, "replace") });
  const searchField = useRef<HTMLInputElement>(null);
  const table = useRef<TableHandle>(null);
  const events = state.list.kind === "ready" ? state.list.events : NO_EVENTS;
  const names = useNames(events, address.query);
  const [chip, setChip] = useState<number | null>(null);
  const everything = useCallback(() => go({ query: "", range: null }), [go]);

  const setQuery = useCallback((query: string) => go({ query }), [go]);
  const open = useCallback((event: string) => go({ event }), [go]);
  const close = useCallback(() => {
    if (address.event !== null) table.current?.focus(address.event);
    go({ event: null });
  }, [go, address.event]);

  useShortcuts({
    search: () => searchField.current?.focus(),
    filter: () => root.querySelector<HTMLElement>(`.${ADD_FILTER}`)?.click(),
    move: (step) => {
      const next = table.current?.move(step) ?? null;
      if (next !== null && address.event !== null) go({ event: next }, "replace");
    },
    open: () => {
      const current = table.current?.current() ?? null;
      if (current !== null) open(current);
    },
    close: () => address.event !== null && close(),
    help: () => root.querySelector<HTMLElement>(`#${HELP_BUTTON}`)?.click(),
  });

  const picked = events.find((event) => event.id === address.event) ?? null;
  const hasCountry = events.some((event) => event.country !== null);
  return (
      <div className={`columns ${address.event === null ? "" : "with-detail"}`}>
        <main className="page">
          <Breadcrumb names={policy.breadcrumb} />
          <Title words={title} state={state} address={address} view={view} now={now} isLive={isLive} onLive={() => setLive(!isLive)} onAddress={go} />
          <About policy={policy} />
          <div className="bar" part="toolbar">
            <RangePicker range={address.range} now={now} onRange={(range) => go({ range })} />
            <SearchBox query={address.query} filters={state.filters} fault={state.fault} field={searchField} onQuery={(query, step) => go({ query }, step)} onPick={setChip} />
            <FilterButton query={address.query} filters={state.filters} onQuery={setQuery} onClear={everything} />
          </div>
          <Suspense fallback={null}>{state.fault !== null && <Fault query={address.query} fault={state.fault} />}</Suspense>
          <div className="chips">
            <Suspense fallback={null}>
              <Chips
                query={address.query}
                filters={state.filters}
                names={names}
                picked={chip}
                isNarrowed={address.query !== "" || address.range !== null}
                onPick={setChip}
                onQuery={setQuery}
                onText={(start, end) => selectText(searchField.current, start, end)}
                onClear={everything}
              />
            </Suspense>
            <Count state={state} />
          </div>
          <Notices state={state} address={address} onAddress={go} />
          {state.list.kind === "ready" && (
            <Suspense fallback={<div className="histogram-place" />}>
              <Histogram filters={state.filters} range={address.range} now={now} arrived={state.arrived} onRange={(range) => go({ range })} />
            </Suspense>
          )}
          <div ref={beginning} />
          <Arrived count={state.waiting} onShow={() => beginning.current?.scrollIntoView({ block: "end" })} />
          {state.list.kind === "ready" ? (
            <Fallible of={JSON.stringify(state.filters)}>
              <EventTable events={events} fresh={state.fresh} selected={address.event} isWaiting={state.list.isWaiting} more={state.list.more} now={now} onOpen={open} onMore={state.loadMore} handle={table} />
            </Fallible>
          ) : (
            <Suspense>
              <ListState list={state.list} address={address} filters={state.filters} now={now} onAddress={go} onRetry={state.retry} />
            </Suspense>
          )}
          <More state={state} />
          <Footer hasCountry={hasCountry} />
          {printing !== null && (
            <printing.Sheet title={title} address={address} events={events} count={state.count?.events ?? null} checkpoint={printing.checkpoint} at={printing.at} />
          )}
        </main>
        {address.event !== null && (
          <Suspense fallback={<aside className="detail" aria-busy="true" />}>
            <Fallible of={address.event}>
              <Detail
                key={address.event}
                id={address.event}
                known={picked}
                now={now}
                onClose={close}
                onOpen={open}
                onQuery={(change) => setQuery(change(address.query))}
                isCountryCredited={hasCountry}
              />
            </Fallible>
          </Suspense>
        )}
      </div>
  );
}

function selectText(field: HTMLInputElement | null, start: number, end: number): void {
  field?.focus();
  field?.setSelectionRange(start, end);
}

interface TitleProps {
  words: string;
  state: State;
  address: Address;
  view: View | null;
  now: Date;
  isLive: boolean;
  onLive: () => void;
  onAddress: (change: Partial<Address>) => void;
}

function Title({ words: title, state, address, view, now, isLive, onLive, onAddress }: TitleProps) {
  const { policy } = useScreen();
  return (
    <div className="title">
      <h1 part="title">
        <bdi>{title}</bdi>
      </h1>
      {state.size !== null && (
        <Suspense fallback={<span className="ledger-size number">{say("in_ledger", { count: state.size })}</span>}>
          <Badge size={state.size} />
        </Suspense>
      )}
      <div className="title-end">
        <button type="button" className="button ghost live" data-state={state.live} aria-pressed={isLive} title={say(LIVE_WORDS[state.live])} onClick={onLive}>
          <span className="dot" />
          {say("live")}
        </button>
        <ViewsButton address={address} view={view} onAddress={onAddress} />
        <ShareButton address={address} now={now} />
        {state.list.kind === "ready" && <ColumnsButton events={state.list.events} />}
        {policy.rights.export && <ExportButton address={address} filters={state.filters} columns={address.columns} size={state.size} isFaulty={state.fault !== null} now={now} />}
      </div>
    </div>
  );
}

const LIVE_WORDS = { off: "live_off", waiting: "live_waiting", live: "live_on" } as const;

function Count({ state: { count } }: { state: State }) {
  return (
    <span className="count number" role="status" aria-live="polite">
      {count !== null && say("events", { count: count.events })}
      {count !== null && <span aria-hidden="true">{say("took", { ms: count.ms })}</span>}
    </span>
  );
}

/** What came while the list is held still; showing it goes to the list's beginning. */
function Arrived({ count, onShow }: { count: number; onShow: () => void }) {
  if (count === 0) return null;
  return (
    <div className="arrived" role="status">
      <button type="button" className="button primary" onClick={onShow}>
        {count > ARRIVALS_MAX ? say("arrived_many", { count: ARRIVALS_MAX }) : say("arrived", { count })}
      </button>
    </div>
  );
}

function Notices({ state, address, onAddress }: { state: State; address: Address; onAddress: (change: Partial<Address>) => void }) {
  const { policy } = useScreen();
  const failed = state.problem !== null && state.list.kind === "ready";
  const isSlow = useDelayed(state.cancel !== null, SLOW_MS);
  return (
    <>
      {state.warnings.map((warning) => (
        <p className="notice calm" key={warning}>
          {warning}
        </p>
      ))}
      {policy.hide_reads && (address.reads || areReadsHidden(policy, address)) && (
        <p className="aside">
          {say(address.reads ? "hide_reads" : "reads_hidden")}
          <button type="button" className="link-button" onClick={() => onAddress({ reads: !address.reads })}>
            {say(address.reads ? "leave_reads_out" : "show_reads")}
          </button>
        </p>
      )}
      {isSlow && (
        <p className="notice calm" role="status">
          {say("slow")}
          <button type="button" className="link-button" onClick={() => state.cancel?.()}>
            {say("cancel")}
          </button>
        </p>
      )}
      {failed && (
        <p className="notice" role="alert">
          {say("from_before", { reason: state.problem?.message ?? "" })}
          <button type="button" className="link-button" onClick={state.retry}>
            {say("again")}
          </button>
        </p>
      )}
    </>
  );
}

function More({ state: { list, loadMore } }: { state: State }) {
  if (list.kind !== "ready" || list.more === "none") return null;
  return (
    <div className="more">
      <button type="button" className="button" disabled={list.more === "loading"} onClick={loadMore}>
        {say(list.more === "loading" ? "loading_more" : "earlier")}
      </button>
    </div>
  );
}

/** Country names come from a database whose licence asks for this line wherever they are shown. */
function Footer({ hasCountry }: { hasCountry: boolean }) {
  return (
    <footer className="footer">
      {hasCountry && (
        <a href="https://db-ip.com" rel="noreferrer" target="_blank">
          {say("geolocation")}
        </a>
      )}
    </footer>
  );
}
