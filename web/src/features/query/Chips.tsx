import { useQueries } from "@tanstack/react-query";
import { lazy, Suspense, type KeyboardEvent, type ReactNode } from "react";
import type { Filters } from "../../api/contract";
import { useLabels, type Labels } from "../../event/labels";
import { clip } from "../../event/words";
import { replaced, terms, without, type Condition, type Term } from "../../query/terms";
import { useScreen } from "../../screen";
import { Cross, Without } from "../../ui/icons";
import { Popover } from "../../ui/Popover";
import { number } from "../../ui/words";
import { ADD_FILTER } from "./FilterButton";
import { say } from "./say";
import { useAsk } from "./useAsk";

const FieldEditor = lazy(() => import("./ConditionEditor").then(({ FieldEditor }) => ({ default: FieldEditor })));
const ValuesEditor = lazy(() => import("./ConditionEditor").then(({ ValuesEditor }) => ({ default: ValuesEditor })));
const AddedCondition = lazy(() => import("./ConditionEditor").then(({ AddedCondition }) => ({ default: AddedCondition })));

/** Each count is a question to the server: so many conditions have one. */
const COUNTED_CHIPS_MAX = 8;

interface Props {
  query: string;
  filters: Filters;
  names: ReadonlyMap<string, string>;
  /** The term, by its place, that the next Backspace removes. */
  picked: number | null;
  onPick: (term: number | null) => void;
  onQuery: (query: string) => void;
  /** Leads to a stretch of the query's text in the search box. */
  onText: (start: number, end: number) => void;
}

/** The query's conditions, one more, and none. */
export default function Chips({ onClear, isNarrowed, ...props }: Props & { onClear: () => void; isNarrowed: boolean }) {
  return (
    <>
      <Conditions {...props} />
      <AddFilter {...props} />
      {isNarrowed && <ClearAll onClear={onClear} />}
    </>
  );
}

/** The conditions, whose parts are edited where they stand. Bare words need no chip: the box shows them. */
function Conditions({ query, filters, names, picked, onPick, onQuery, onText }: Props) {
  const labels = useLabels();
  const found = terms(query);
  const counts = useCounts(found, filters);
  return found.map((term, place) => {
    if (term.kind === "words") return null;
    const remove = (chip: Element | null) => {
      // The next chip takes the place and the focus; behind the last one there is none.
      if (!found.slice(place + 1).some((other) => other.kind !== "words")) chip?.parentElement?.querySelector<HTMLElement>(`.${ADD_FILTER}`)?.focus();
      onPick(null);
      onQuery(without(query, term));
    };
    const press = ({ key, target, currentTarget }: KeyboardEvent<HTMLElement>) => {
      // What is typed into an editor that hangs from the chip is not meant for the chip.
      if ((key !== "Backspace" && key !== "Delete") || (target as HTMLElement).closest(".popover") !== null) return;
      if (picked === place) remove(currentTarget);
      else onPick(place);
    };
    const parts = { term, labels, names, query, filters, onQuery, onText };
    const text = describe(term, labels, names);
    return (
      <span key={place} role="group" className="chip" aria-label={say("condition", { text })} data-negated={term.kind === "field" && term.negated} data-picked={picked === place} onKeyDown={press} onBlur={() => picked === place && onPick(null)}>
        {term.kind === "field" ? <Parts {...parts} term={term} /> : <Expression {...parts} />}
        {counts[place] !== undefined && (
          <span className="chip-count number" title={say("chip_count", { count: counts[place] })}>
            <span aria-hidden="true">{number(counts[place])}</span>
            <span className="unseen">{say("chip_count", { count: counts[place] })}</span>
          </span>
        )}
        <button type="button" className="icon-button" aria-label={say("remove", { text })} onClick={({ currentTarget }) => remove(currentTarget.closest(".chip"))}>
          <Cross />
        </button>
        {picked === place && (
          <span role="status" className="unseen">
            {say("picked", { text })}
          </span>
        )}
      </span>
    );
  });
}

interface PartProps extends Pick<Props, "query" | "filters" | "names" | "onQuery" | "onText"> {
  labels: Labels;
}

/** Field, relation and values of a condition; each changes in its place. */
function Parts({ term, query, filters, labels, names, onQuery }: PartProps & { term: Term & { kind: "field" } }) {
  const { field, relation, values } = partsOf(term, labels, names);
  const set = (condition: Condition) => onQuery(replaced(query, term, condition));
  const other = partsOf({ ...term, negated: !term.negated }, labels, names).relation;
  const relationButton = (
    <button type="button" className="chip-part relation" aria-label={say("change_relation", { text: relation, other })} onClick={() => set({ ...term, negated: !term.negated })}>
      {term.negated && <Without />}
      {relation}
    </button>
  );
  // A condition that is a sentence of its own, such as "security actions only", has no field to name and no other values.
  if (field === "") {
    return (
      <>
        <b className="chip-part">{values}</b>
        {relationButton}
      </>
    );
  }
  return (
    <>
      <Editor label={field} name={say("change_field", { text: field })}>
        {(close) => <FieldEditor current={term.field} onField={(chosen) => (close(), set({ ...term, field: chosen }))} />}
      </Editor>
      {relationButton}
      <Editor
        label={
          <b className="line">
            <bdi>{clip(values, 80)}</bdi>
          </b>
        }
        name={say("change_values", { text: clip(values, 80) })}
      >
        {(close) => <ValuesEditor condition={term} others={without(query, term)} filters={filters} onCondition={set} onDone={close} />}
      </Editor>
    </>
  );
}

function Editor({ label, name, children }: { label: ReactNode; name: string; children: (close: () => void) => ReactNode }) {
  return (
    <Popover label={label} name={name} className="chip-part" boxClassName="condition-editor">
      {(close) => <Suspense fallback={null}>{children(close)}</Suspense>}
    </Popover>
  );
}

/** What no chip takes apart is edited as text. */
function Expression({ term, onText }: PartProps & { term: Term }) {
  return (
    <button type="button" className="chip-part" aria-label={say("edit_expression", { text: clip(term.text, 80) })} onClick={() => onText(term.start, term.end)}>
      <b className="line">
        <bdi>{clip(term.text, 80)}</bdi>
      </b>
    </button>
  );
}

/** Adds a condition, field first. */
function AddFilter({ query, filters, onQuery }: Pick<Props, "query" | "filters" | "onQuery">) {
  return (
    <Popover label={<><span aria-hidden="true">+</span> {say("add_filter")}</>} className={`button ghost small ${ADD_FILTER}`} boxClassName="condition-editor">
      {(close) => (
        <Suspense fallback={null}>
          <AddedCondition query={query} filters={filters} onQuery={onQuery} onDone={close} />
        </Suspense>
      )}
    </Popover>
  );
}

/** Back to everything that the policy shows by default. */
function ClearAll({ onClear }: { onClear: () => void }) {
  const labels = useLabels();
  return (
    <button type="button" className="button ghost small" onClick={onClear}>
      {labels.screen("clear_filters", say("clear_all"))}
    </button>
  );
}

/** How many events each condition holds for on its own, by its term's place. */
function useCounts(found: Term[], filters: Filters): (number | undefined)[] {
  const { client } = useScreen();
  const ask = useAsk(filters);
  const counted: Term[] = found.filter((term) => term.kind !== "words").slice(0, COUNTED_CHIPS_MAX);
  const answers = useQueries({
    queries: counted.map((term) => ({
      queryKey: ["condition", ask(term.text)],
      queryFn: async ({ signal }: { signal: AbortSignal }) => (await client.count(ask(term.text), signal)).count,
    })),
  });
  return found.map((term) => (counted.includes(term) ? answers[counted.indexOf(term)]?.data : undefined));
}

function describe(term: Term, labels: Labels, names: ReadonlyMap<string, string>): string {
  if (term.kind !== "field") return clip(term.text, 80);
  const { field, relation, values } = partsOf(term, labels, names);
  return (field === "" ? [values, relation] : [field, relation, clip(values, 80)]).filter((part) => part !== "").join(" ");
}

/** A condition in words. */
function partsOf({ field, values, negated }: Condition, labels: Labels, names: ReadonlyMap<string, string>): { field: string; relation: string; values: string } {
  const said = values.map(({ text, prefix }) => (prefix ? (text === "" ? say("any_value") : `${text}…`) : named(field, text, labels, names)));
  const [only] = values;
  if (field === "security" && values.length === 1 && only?.text === "true") return { field: "", relation: say(negated ? "left_out" : "only"), values: say("security_actions") };
  return { field: labels.field(field), relation: say(negated ? "is_not" : "is"), values: said.join(` ${say("or")} `) };
}

function named(field: string, value: string, labels: Labels, names: ReadonlyMap<string, string>): string {
  return (field === "actor" || field === "target" ? names.get(value) : undefined) ?? (labels.value(field, value) || value);
}
