import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import type { Filters, Policy } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import type { Address } from "../../query/address";
import { ALL, rangeLabel, resolve } from "../../query/range";
import { useScreen } from "../../screen";
import { Tickbox } from "../../ui/Form";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { CHOOSABLE, chosenAtFirst, columnsOf, FORMATS, type Columns, type Format, type OnScreen, type Scope, type Wish } from "./file";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  asked: "all" | "filtered";
  /** What was wished for before, and failed. */
  first: Wish | null;
  address: Address;
  shown: OnScreen;
  size: number | null;
  now: Date;
  /** With the number of rows, where it is known. */
  onSend: (wish: Wish, rows: number | null) => void;
  onClose: () => void;
}

/** What a file is to have, before it is made. */
export function Choice({ asked, first, address, shown, size, now, onSend, onClose }: Props) {
  const { policy, mode } = useScreen();
  const labels = useLabels();
  const zone = useZone();
  const [scope, setScope] = useState<Scope>(first?.scope ?? asked);
  const [format, setFormat] = useState<Format>(first?.format ?? "csv");
  const [wanted, setWanted] = useState<Columns>(first?.columns ?? "screen");
  const [chosen, setChosen] = useState(() => first?.chosen ?? chosenAtFirst(shown));
  const [times, setTimes] = useState(first?.zone ?? zone.id);
  const [isMailed, setMailed] = useState(first?.isMailed ?? false);
  // In the console asking for a file is an event before the file begins, and so is among all that have no end.
  const isOpen = scope === "all" || (scope === "dates" && shown.filters.to === undefined);
  const own = mode === "console" && isOpen ? 1 : 0;
  const known = useRows(scope, shown.filters, now);
  const rows = known === null ? null : known + own;
  const range = rangeLabel(address.range, zone, policy);
  const isOfAllTime = range === rangeLabel(ALL, zone, policy) && policy.max_range_days === null;
  const offered = columnsOf(format);
  const columns = offered.includes(wanted) ? wanted : "all";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSend({ scope, format, columns, chosen, zone: times, isMailed }, rows);
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
      {offered.length > 0 && (
        <Options name={say("columns")}>
          {offered.map((each) => (
            <Option key={each} name="columns" isChosen={columns === each} onChoose={() => setWanted(each)} words={say(`columns_${each}`)} />
          ))}
        </Options>
      )}
      {offered.length > 0 && columns === "chosen" && <Fields chosen={chosen} onChosen={setChosen} />}
      {format === "csv" && (
        <label className="field">
          {say("zone")}
          <select className="input" value={times} onChange={(event) => setTimes(event.target.value)}>
            {zones(zone.id).map((id) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
      )}
      <Mail isOn={isMailed} onChange={setMailed} />
      <p className="export-rows number" role="status">
        {rowsWords(rows, scope, size === null ? null : size + own, policy)} <span className="muted">{say(own > 0 ? "recorded_within" : "recorded")}</span>
      </p>
      <div className="export-end">
        <button type="button" className="button" onClick={onClose}>
          {say("cancel")}
        </button>
        <button className="button primary" disabled={columns === "chosen" && chosen.length === 0}>
          {labels.screen("export_confirm", say("confirm"))}
        </button>
      </div>
    </form>
  );
}

/** The fields of events, to be ticked; a file has them in this order. */
function Fields({ chosen, onChosen }: { chosen: readonly string[]; onChosen: (chosen: readonly string[]) => void }) {
  const labels = useLabels();
  return (
    <fieldset className="export-fields" aria-label={say("columns_chosen")}>
      {CHOOSABLE.map((path) => (
        <Tickbox
          key={path}
          name={path}
          label={labels.field(path)}
          checked={chosen.includes(path)}
          onChange={({ currentTarget: { checked } }) => onChosen(CHOOSABLE.filter((each) => (each === path ? checked : chosen.includes(each))))}
        />
      ))}
    </fieldset>
  );
}

/** Offers the file by e-mail, to one's own address: only who is signed in has one. */
function Mail({ isOn, onChange }: { isOn: boolean; onChange: (isOn: boolean) => void }) {
  const { access, mode } = useScreen();
  if (access.kind !== "session" || access.email === "" || mode !== "console") return null;
  const label = say.nodes("mail", { email: <bdi>{access.email}</bdi> });
  return <Tickbox name="email" label={label} checked={isOn} onChange={({ currentTarget }) => onChange(currentTarget.checked)} />;
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
