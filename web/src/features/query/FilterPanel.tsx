import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useId, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { Filters, FilterSetting } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import { valuesOf, withoutField, withoutValue, withValue } from "../../query/terms";
import { useScreen } from "../../screen";
import { Cross } from "../../ui/icons";
import { number } from "../../ui/words";
import { say } from "./say";
import { useAsk } from "./useAsk";
import { useValues, type Choice } from "./useValues";

/** Fewer values than this are seen at a glance and need no search. */
const SEARCHED_FROM = 9;
const LISTED_MAX = 60;

interface Props {
  query: string;
  filters: Filters;
  /** What the panel opens at, where there is room beside it. */
  anchor: RefObject<HTMLElement | null>;
  onQuery: (query: string) => void;
  onClear: () => void;
  onClose: () => void;
}

/** The policy's filters. What is chosen is a query of its own until it is applied, which also closes the panel. */
export default function FilterPanel({ query, filters, anchor, onQuery, onClear, onClose }: Props) {
  const { policy } = useScreen();
  const labels = useLabels();
  const [staged, setStaged] = useState(query);
  const dialog = useOpened(anchor);
  const title = useId();
  const settings = policy.filters.length > 0 ? policy.filters.map((setting) => ({ ...setting, label: setting.label ?? labels.field(setting.field) })) : builtIn(labels.field);
  const apply = () => {
    onClose();
    onQuery(staged);
  };
  return (
    <dialog ref={dialog} className="filter-panel" aria-labelledby={title} onCancel={(event) => (event.preventDefault(), onClose())} onClick={(event) => event.target === event.currentTarget && onClose()}>
      <form onSubmit={(event) => (event.preventDefault(), apply())}>
        <header>
          <h2 id={title}>{labels.screen("filters", say("filter"))}</h2>
          <button type="button" className="icon-button" aria-label={say("close")} onClick={onClose}>
            <Cross />
          </button>
        </header>
        <div className="filter-sections">
          {settings.map((setting) =>
            setting.field === "security" ? (
              <Security key={setting.field} label={setting.label} query={staged} onQuery={setStaged} />
            ) : (
              <Section key={setting.field} setting={setting} query={staged} filters={filters} onQuery={setStaged} />
            ),
          )}
        </div>
        <footer>
          <button type="button" className="button ghost" onClick={() => (onClose(), onClear())}>
            {labels.screen("clear_filters", say("clear_all"))}
          </button>
          <Matching query={staged} filters={filters} />
          <button type="submit" className="button primary">
            {labels.screen("apply", say("apply"))}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

type Labelled = FilterSetting & { label: string };

function builtIn(field: (id: string) => string): Labelled[] {
  const settings = ["action_type", "actor"].map((id) => ({ field: id, label: field(id), values: [] }));
  return [...settings, { field: "security", label: say("security_only"), values: ["true"] }];
}

/** Opens a dialog over everything, below its anchor where the page is wide enough for that to be decided by it. */
function useOpened(anchor: RefObject<HTMLElement | null>): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const [element, place] = [dialog.current, anchor.current?.getBoundingClientRect()];
    if (element === null || element.open) return;
    if (place !== undefined) {
      element.style.setProperty("--anchor-bottom", `${place.bottom}px`);
      element.style.setProperty("--anchor-end", `${document.documentElement.clientWidth - place.right}px`);
    }
    element.showModal();
  }, [anchor]);
  return dialog;
}

interface SectionProps {
  setting: Labelled;
  query: string;
  filters: Filters;
  onQuery: (query: string) => void;
}

/** The values of one field, any number of which can be ticked. */
function Section({ setting: { field, label, values }, query, filters, onQuery }: SectionProps) {
  const [typed, setTyped] = useState("");
  const [fields] = useState([field]);
  // The conditions on the field itself are left out, so that other values can be added; those on others count.
  const found = useValues(fields, withoutField(query, field), filters, typed);
  const chosen = valuesOf(query, field, false);
  const choices = inOrder(useKept(found.of.get(field) ?? [], found.isLoading), values);
  const isSearched = useSticky(choices.length >= SEARCHED_FROM || field === "actor" || field === "target");
  const toggle = (value: string) => onQuery(chosen.includes(value) ? withoutValue(query, field, value) : withValue(query, field, value));
  return (
    <fieldset>
      <legend>{clip(label, 80)}</legend>
      {isSearched && (
        <input className="input" type="search" value={typed} onChange={({ target }) => setTyped(target.value)} placeholder={say("value_search_of", { field: clip(label, 80) })} aria-label={say("value_search_of", { field: clip(label, 80) })} spellCheck={false} autoComplete="off" dir="auto" />
      )}
      <div className="filter-checks">
        {choices.slice(0, LISTED_MAX).map((choice) => (
          <Check key={choice.value} choice={choice} isOn={chosen.includes(choice.value)} onToggle={() => toggle(choice.value)} />
        ))}
        {found.problem !== null && <p className="muted">{say("values_failed", { reason: found.problem.message })}</p>}
        {found.problem === null && !found.isLoading && choices.length === 0 && <p className="muted">{say(typed === "" ? "no_values" : "no_match")}</p>}
        {choices.length > LISTED_MAX && <p className="muted">{say("more_values")}</p>}
      </div>
    </fieldset>
  );
}

function Check({ choice: { label, detail, count }, isOn, onToggle }: { choice: Choice; isOn: boolean; onToggle: () => void }) {
  return (
    <label className="check">
      <input type="checkbox" checked={isOn} onChange={onToggle} />
      <span className="line">
        <bdi>{clip(label, 80)}</bdi>
        {detail !== "" && (
          <small className="muted">
            {" "}
            <bdi>{clip(detail, 80)}</bdi>
          </small>
        )}
      </span>
      <span className="muted number">{number(count)}</span>
    </label>
  );
}

function Security({ label, query, onQuery }: { label: string; query: string; onQuery: (query: string) => void }) {
  const isOn = valuesOf(query, "security", false).includes("true");
  return (
    <label className="check alone">
      <input type="checkbox" checked={isOn} onChange={() => onQuery(isOn ? withoutField(query, "security") : withValue(withoutField(query, "security"), "security", "true"))} />
      {clip(label, 80)}
    </label>
  );
}

/** How many events the staged filters leave. */
function Matching({ query, filters }: { query: string; filters: Filters }) {
  const { client } = useScreen();
  const asked = useAsk(filters)(query);
  const count = useQuery({ queryKey: ["matching", asked], queryFn: ({ signal }) => client.count(asked, signal), placeholderData: keepPreviousData });
  return (
    <span className="muted number" role="status">
      {count.data !== undefined && say("matching", { count: count.data.count })}
    </span>
  );
}

/** Values that the policy names come first, in its order; the others follow as they came. */
function inOrder(choices: Choice[], first: string[]): Choice[] {
  const named = first.flatMap((value) => choices.filter((choice) => choice.value === value));
  return [...named, ...choices.filter((choice) => !first.includes(choice.value))];
}

/** What was listed last stays while its successor is on the way, so that nothing jumps under the pointer. */
function useKept(choices: Choice[], isLoading: boolean): Choice[] {
  const [kept, setKept] = useState(choices);
  if (!isLoading && kept !== choices) setKept(choices);
  return isLoading ? kept : choices;
}

/** True once it was. */
function useSticky(isNow: boolean): boolean {
  const [was, setWas] = useState(isNow);
  if (isNow && !was) setWas(true);
  return was || isNow;
}
