import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import type { Filters, Policy } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import type { Address } from "../../query/address";
import { ALL, rangeLabel, resolve } from "../../query/range";
import { useScreen } from "../../screen";
import { Dialog } from "../../ui/Dialog";
import { Cross } from "../../ui/icons";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { FORMATS, usualColumns, type Format, type Scope, type Wish } from "./file";
import { Running, Result, runWords } from "./Progress";
import { useExport } from "./useExport";
import button from "./button.en.json";
import en from "./words.en.json";

const say = wordsOf({ en });
const sayOfButton = wordsOf({ en: button });

interface Props {
  address: Address;
  filters: Filters;
  columns: readonly string[] | null;
  size: number | null;
  now: Date;
  /** What the dialog is about; null while it is closed. */
  asked: "all" | "filtered" | null;
  onAsk: (asked: "all" | "filtered" | null) => void;
}

/** The dialog of an export; an export that runs on without it is told of beside the button. */
export default function Export({ address, filters, columns, size, now, asked, onAsk }: Props) {
  const { policy } = useScreen();
  const labels = useLabels();
  const { run, start, cancel, forget } = useExport();
  const [rows, setRows] = useState<number | null>(null);
  const close = () => {
    onAsk(null);
    if (run.kind !== "running") forget();
  };
  if (asked === null) {
    if (run.kind === "none") return <span role="status" />;
    return (
      <span className="export-state number" role="status">
        {runWords(run, rows)}
        <button type="button" className="icon-button" aria-label={say(run.kind === "running" ? "stop" : "close")} onClick={cancel}>
          <Cross />
        </button>
      </span>
    );
  }
  const send = (wish: Wish, counted: number | null) => {
    setRows(counted);
    start(wish, { filters, columns: columns ?? usualColumns(policy) });
  };
  const title = asked === "all" ? labels.screen("export_all", sayOfButton("all")) : labels.screen("export_filtered", sayOfButton("filtered"));
  return (
    <Dialog title={title} onClose={close}>
      {run.kind === "none" && <Choice asked={asked} address={address} filters={filters} size={size} now={now} onSend={send} onClose={close} />}
      {run.kind === "running" && <Running run={run} rows={rows} onStop={cancel} onGoOn={close} />}
      {(run.kind === "done" || run.kind === "failed") && <Result run={run} onAgain={forget} onClose={close} />}
    </Dialog>
  );
}

interface ChoiceProps {
  asked: "all" | "filtered";
  address: Address;
  filters: Filters;
  size: number | null;
  now: Date;
  /** With the number of rows, where it is known. */
  onSend: (wish: Wish, rows: number | null) => void;
  onClose: () => void;
}

function Choice({ asked, address, filters, size, now, onSend, onClose }: ChoiceProps) {
  const { policy } = useScreen();
  const labels = useLabels();
  const zone = useZone();
  const [scope, setScope] = useState<Scope>(asked);
  const [format, setFormat] = useState<Format>("csv");
  const [isOfScreen, setOfScreen] = useState(true);
  const [times, setTimes] = useState(zone.id);
  const rows = useRows(scope, filters, now);
  const range = rangeLabel(address.range, zone, policy);
  const isOfAllTime = range === rangeLabel(ALL, zone, policy) && policy.max_range_days === null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSend({ scope, format, isOfScreen, zone: times }, rows);
  };
  return (
    <form className="export-form" onSubmit={submit}>
      {asked === "filtered" && (
        <div className="export-query">
          <p>{say("of_query", { range })}</p>
          <code className="mono">
            <bdi>{clip(address.query.trim(), 500)}</bdi>
          </code>
        </div>
      )}
      {asked === "all" && !isOfAllTime && (
        <Options name={say("which")}>
          <Option name="scope" isChosen={scope === "all"} onChoose={() => setScope("all")} words={say("which_all")} />
          <Option name="scope" isChosen={scope === "dates"} onChoose={() => setScope("dates")} words={say("which_dates", { range })} />
        </Options>
      )}
      <Options name={say("format")}>
        {FORMATS.map((each) => (
          <Option key={each} name="format" isChosen={format === each} onChoose={() => setFormat(each)} words={say(each)} about={say(`${each}_about`)} />
        ))}
      </Options>
      {format === "csv" && (
        <>
          <Options name={say("columns")}>
            <Option name="columns" isChosen={isOfScreen} onChoose={() => setOfScreen(true)} words={say("columns_screen")} />
            <Option name="columns" isChosen={!isOfScreen} onChoose={() => setOfScreen(false)} words={say("columns_all")} />
          </Options>
          <label className="field">
            {say("zone")}
            <select className="input" value={times} onChange={(event) => setTimes(event.target.value)}>
              {zones(zone.id).map((id) => (
                <option key={id}>{id}</option>
              ))}
            </select>
          </label>
        </>
      )}
      <p className="export-rows number" role="status">
        {rowsWords(rows, scope, size, policy)} <span className="muted">{say("recorded")}</span>
      </p>
      <div className="export-end">
        <button type="button" className="button" onClick={onClose}>
          {say("cancel")}
        </button>
        <button className="button primary">{labels.screen("export_confirm", say("confirm"))}</button>
      </div>
    </form>
  );
}

/** How many rows there will be; null while that is not known. What is wider than a read may be cannot be counted. */
function useRows(scope: Scope, filters: Filters, now: Date): number | null {
  const { client, policy } = useScreen();
  const zone = useZone();
  const { from, to } = filters;
  const counted: Filters = { all: resolve(ALL, now, zone, policy), dates: { from, to }, filtered: filters }[scope];
  const asked = useQuery({
    queryKey: ["count", "export", counted],
    queryFn: async ({ signal }) => (await client.count(counted, signal)).count,
    enabled: scope !== "all" || policy.max_range_days === null,
  });
  return asked.data ?? null;
}

function rowsWords(rows: number | null, scope: Scope, size: number | null, policy: Policy): string {
  if (rows !== null) return say("rows", { count: rows });
  return scope === "all" && policy.max_range_days !== null && size !== null ? say("rows_most", { count: size }) : say("rows_counting");
}

/** The organization's zone, the reader's own and UTC. */
function zones(own: string): string[] {
  return [...new Set([own, Intl.DateTimeFormat().resolvedOptions().timeZone, "UTC"])];
}

function Options({ name, children }: { name: string; children: ReactNode }) {
  return (
    <fieldset className="options">
      <legend>{name}</legend>
      {children}
    </fieldset>
  );
}

function Option({ name, isChosen, onChoose, words, about }: { name: string; isChosen: boolean; onChoose: () => void; words: string; about?: string }) {
  return (
    <label>
      <input type="radio" name={name} checked={isChosen} onChange={onChoose} />
      <span>
        {words}
        {about !== undefined && <small className="muted">{about}</small>}
      </span>
    </label>
  );
}
