// The screen of the log: what is asked for, the list, and the event that was picked beside it.
//
// Invariants
// - The list follows from the address alone, so that a link shows the same.
//
// Not here: what an address finds (useActivity.ts), the list itself (table), one event (features/detail).
import { lazy, Suspense, useCallback, useRef, useState, type Ref, type RefObject } from "react";
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
  const { client, policy } = useScreen();
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
  const field = useRef<HTMLInputElement>(null);
  const table = useRef<TableHandle>(null);
  const events = state.list.kind === "ready" ? state.list.events : NO_EVENTS;
  const opening = useOpening(address, go, table);
  useListKeys({ address, field, table, opening, onAddress: go });
  const hasCountry = events.some((event) => event.country !== null);
  const part: Part = { state, address, now, onAddress: go };
  return (
    <div className={`columns ${address.event === null ? "" : "with-detail"}`}>
      <main className="page">
        <Breadcrumb names={policy.breadcrumb} />
        <Title {...part} words={title} view={view} isLive={isLive} onLive={() => setLive(!isLive)} />
        <About policy={policy} />
        <Asking {...part} events={events} field={field} />
        <Notices {...part} />
        {state.list.kind === "ready" && (
          <Suspense fallback={<div className="histogram-place" />}>
            <Histogram filters={state.filters} range={address.range} now={now} arrived={state.arrived} onRange={(range) => go({ range })} />
          </Suspense>
        )}
        <div ref={beginning} />
        <Arrived count={state.waiting} onShow={() => beginning.current?.scrollIntoView({ block: "end" })} />
        <Events {...part} table={table} onOpen={opening.open} />
        <More state={state} />
        <Footer hasCountry={hasCountry} />
        {printing !== null && (
          <printing.Sheet title={title} address={address} events={events} count={state.count?.events ?? null} checkpoint={printing.checkpoint} at={printing.at} />
        )}
      </main>
      <Picked address={address} events={events} now={now} hasCountry={hasCountry} opening={opening} onAddress={go} />
    </div>
  );
}

/** What most parts of the screen are drawn from. */
interface Part {
  state: State;
  address: Address;
  now: Date;
  onAddress: Go;
}

type Go = ReturnType<typeof useAddress>[1];

interface Opening {
  open: (event: string) => void;
  close: () => void;
}

/** Opening one event beside the list, and closing it: the focus goes back to its row. */
function useOpening({ event }: Address, go: Go, table: RefObject<TableHandle | null>): Opening {
  const open = useCallback((picked: string) => go({ event: picked }), [go]);
  const close = useCallback(() => {
    if (event !== null) table.current?.focus(event);
    go({ event: null });
  }, [go, event, table]);
  return { open, close };
}

interface Keyed {
  address: Address;
  field: RefObject<HTMLInputElement | null>;
  table: RefObject<TableHandle | null>;
  opening: Opening;
  onAddress: Go;
}

/** What the keyboard's keys do with the list, the detail, and the fields above. */
function useListKeys({ address: { event }, field, table, opening, onAddress }: Keyed): void {
  const { root } = useScreen();
  useShortcuts({
    search: () => field.current?.focus(),
    filter: () => root.querySelector<HTMLElement>(`.${ADD_FILTER}`)?.click(),
    move: (step) => {
      const next = table.current?.move(step) ?? null;
      if (next !== null && event !== null) onAddress({ event: next }, "replace");
    },
    open: () => {
      const current = table.current?.current() ?? null;
      if (current !== null) opening.open(current);
    },
    close: () => event !== null && opening.close(),
    help: () => root.querySelector<HTMLElement>(`#${HELP_BUTTON}`)?.click(),
  });
}

/** What is asked for: range, text, filters, and what the server says of them. */
function Asking({ state, address, now, events, field, onAddress }: Part & { events: Event[]; field: RefObject<HTMLInputElement | null> }) {
  const names = useNames(events, address.query);
  const [chip, setChip] = useState<number | null>(null);
  const setQuery = useCallback((query: string) => onAddress({ query }), [onAddress]);
  const everything = useCallback(() => onAddress({ query: "", range: null }), [onAddress]);
  return (
    <>
      <div className="bar" part="toolbar">
        <RangePicker range={address.range} now={now} onRange={(range) => onAddress({ range })} />
        <SearchBox query={address.query} filters={state.filters} fault={state.fault} field={field} onQuery={(query, step) => onAddress({ query }, step)} onPick={setChip} />
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
            onText={(start, end) => selectText(field.current, start, end)}
            onClear={everything}
          />
        </Suspense>
        <Count state={state} />
      </div>
    </>
  );
}

/** The list, or what there is to say in its place. */
function Events({ state, address, now, table, onOpen, onAddress }: Part & { table: Ref<TableHandle>; onOpen: (id: string) => void }) {
  const { list, filters, fresh, loadMore, retry } = state;
  if (list.kind !== "ready") {
    return (
      <Suspense>
        <ListState list={list} address={address} filters={filters} now={now} onAddress={onAddress} onRetry={retry} />
      </Suspense>
    );
  }
  return (
    <Fallible of={JSON.stringify(filters)}>
      <EventTable events={list.events} fresh={fresh} selected={address.event} isWaiting={list.isWaiting} more={list.more} now={now} onOpen={onOpen} onMore={loadMore} handle={table} />
    </Fallible>
  );
}

interface PickedProps {
  address: Address;
  events: Event[];
  now: Date;
  hasCountry: boolean;
  opening: Opening;
  onAddress: Go;
}

/** The event that was picked, beside the list. */
function Picked({ address: { event: id, query }, events, now, hasCountry, opening, onAddress }: PickedProps) {
  if (id === null) return null;
  const known = events.find((event) => event.id === id) ?? null;
  return (
    <Suspense fallback={<aside className="detail" aria-busy="true" />}>
      <Fallible of={id}>
        <Detail key={id} id={id} known={known} now={now} onClose={opening.close} onOpen={opening.open} onQuery={(change) => onAddress({ query: change(query) })} isCountryCredited={hasCountry} />
      </Fallible>
    </Suspense>
  );
}

function selectText(field: HTMLInputElement | null, start: number, end: number): void {
  field?.focus();
  field?.setSelectionRange(start, end);
}

interface TitleProps extends Part {
  words: string;
  view: View | null;
  isLive: boolean;
  onLive: () => void;
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

function Notices({ state, address, onAddress }: Part) {
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
