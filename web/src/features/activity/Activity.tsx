import { useCallback, useMemo, useRef, useState } from "react";
import { useScreen } from "../../screen";
import { HELP_BUTTON } from "../../ui/Help";
import { useNow } from "../../ui/useNow";
import { useTitle } from "../../ui/useTitle";
import { Detail } from "../detail/Detail";
import { About, Breadcrumb } from "./About";
import { Chips } from "./Chips";
import { CsvButton } from "./CsvButton";
import { EventTable } from "./EventTable";
import { FilterPicker } from "./FilterPicker";
import { Histogram } from "./Histogram";
import { ListState } from "./ListState";
import { ALL } from "../../query/range";
import { RangePicker } from "./RangePicker";
import { Fault, SearchBox } from "./SearchBox";
import { useActivity, type Activity as State } from "./useActivity";
import { useAddress } from "../../query/useAddress";
import { useShortcuts } from "./useShortcuts";
import { clip } from "../../event/words";

/** The screen: everything that one organization's ledger has, and the event that was picked. */
export function Activity() {
  const { client, policy, root } = useScreen();
  const [address, go] = useAddress();
  const [isLive, setLive] = useState(true);
  const title = clip(policy.title ?? "Activity", 200);
  useTitle(title);
  const now = useNow();
  const state = useActivity(client, address, now, isLive);
  const searchField = useRef<HTMLInputElement>(null);
  const events = state.list.kind === "ready" ? state.list.events : [];
  const names = useMemo(() => new Map(events.flatMap(({ actor }) => (actor?.id && actor.name ? [[actor.id, actor.name] as const] : []))), [events]);

  const setQuery = useCallback((query: string) => go({ query }), [go]);
  const open = useCallback((event: string) => go({ event }), [go]);
  const close = useCallback(() => {
    focusRow(root, address.event);
    go({ event: null });
  }, [go, root, address.event]);

  const [row, setRow] = useState<string | null>(null);
  const current = events.findIndex((event) => event.id === (address.event ?? row));
  useShortcuts({
    search: () => searchField.current?.focus(),
    move: (step) => {
      const next = events[Math.min(Math.max(current + step, 0), events.length - 1)];
      if (next === undefined) return;
      setRow(next.id);
      focusRow(root, next.id);
      if (address.event !== null) go({ event: next.id }, "replace");
    },
    open: () => row !== null && open(row),
    close: () => address.event !== null && close(),
    help: () => root.querySelector<HTMLElement>(`#${HELP_BUTTON}`)?.click(),
  });

  const picked = events.find((event) => event.id === address.event) ?? null;
  const hasCountry = events.some((event) => event.country !== null);
  return (
      <div className={`columns ${address.event === null ? "" : "with-detail"}`}>
        <main className="page">
          <Breadcrumb names={policy.breadcrumb} />
          <Title words={title} state={state} isLive={isLive} onLive={() => setLive(!isLive)} />
          <About policy={policy} />
          <div className="bar">
            <RangePicker range={address.range} now={now} onRange={(range) => go({ range })} />
            <SearchBox query={address.query} fault={state.fault} field={searchField} onQuery={(query, isDone) => go({ query }, isDone ? "push" : "replace")} />
            <FilterPicker client={client} filters={state.filters} query={address.query} onQuery={setQuery} />
          </div>
          {state.fault !== null && <Fault query={address.query} fault={state.fault} />}
          <div className="chips">
            <Chips query={address.query} names={names} onQuery={setQuery} />
            <Count state={state} />
          </div>
          <Notices state={state} />
          {state.histogram !== null && state.histogram.bars.length > 0 && state.list.kind === "ready" && (
            <Histogram {...state.histogram} onBar={({ from, to }) => go({ range: { kind: "custom", from, to } })} />
          )}
          {state.list.kind === "ready" ? (
            <EventTable events={events} fresh={state.fresh} selected={address.event} isWaiting={state.list.isWaiting} now={now} onOpen={open} />
          ) : (
            <ListState list={state.list} isNarrowed={address.query.trim() !== "" || address.range !== null} onEverything={() => go({ query: "", range: null })} onRetry={state.retry} />
          )}
          <More state={state} />
          <Footer hasCountry={hasCountry} />
        </main>
        {address.event !== null && (
          <Detail
            key={address.event}
            client={client}
            id={address.event}
            known={picked}
            now={now}
            onClose={close}
            onOpen={open}
            onQuery={(change) => setQuery(change(address.query))}
            onTrace={(trace) => go({ query: `trace_id:${trace}`, range: ALL })}
            isCountryCredited={hasCountry}
          />
        )}
      </div>
  );
}

function focusRow(root: HTMLElement, id: string | null): void {
  if (id === null) return;
  const button = root.querySelector<HTMLElement>(`[data-event="${CSS.escape(id)}"]`);
  button?.focus({ preventScroll: true });
  button?.closest("tr")?.scrollIntoView({ block: "nearest" });
}

function Title({ words: title, state, isLive, onLive }: { words: string; state: State; isLive: boolean; onLive: () => void }) {
  const { client, access, policy } = useScreen();
  const words = { off: "New events do not appear by themselves", waiting: "Connecting to the live feed", live: "New events appear as they are stored" };
  return (
    <div className="title">
      <h1>
        <bdi>{title}</bdi>
      </h1>
      {state.size !== null && <span className="ledger-size number">{`${state.size.toLocaleString("en")} ${state.size === 1 ? "event" : "events"} in the ledger`}</span>}
      <div className="title-end">
        <button type="button" className="button ghost live" data-state={state.live} aria-pressed={isLive} title={words[state.live]} onClick={onLive}>
          <span className="dot" />
          Live
        </button>
        {policy.rights.export && (
          <CsvButton client={client} organization={access.organization} filters={state.filters} isDisabled={state.fault !== null} />
        )}
      </div>
    </div>
  );
}

function Count({ state: { count } }: { state: State }) {
  return (
    <span className="count number" role="status" aria-live="polite">
      {count !== null && `${count.events.toLocaleString("en")} ${count.events === 1 ? "event" : "events"}`}
      {count !== null && <span aria-hidden="true">{` · ${count.ms} ms`}</span>}
    </span>
  );
}

function Notices({ state }: { state: State }) {
  const failed = state.problem !== null && state.list.kind === "ready";
  return (
    <>
      {state.warnings.map((warning) => (
        <p className="notice calm" key={warning}>
          {warning}
        </p>
      ))}
      {failed && (
        <p className="notice" role="alert">
          {state.problem?.message} What is shown is from before.
          <button type="button" className="link-button" onClick={state.retry}>
            Try again
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
        {list.more === "loading" ? "Loading…" : "Show earlier events"}
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
          IP geolocation by DB-IP
        </a>
      )}
    </footer>
  );
}
