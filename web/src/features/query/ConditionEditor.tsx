import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import type { Filters } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip, FIELDS } from "../../event/words";
import { typedValue, withCondition, type Condition, type Value } from "../../query/terms";
import { Tick } from "../../ui/icons";
import { number } from "../../ui/words";
import { begins } from "./match";
import { say } from "./say";
import { useValues, type Choice } from "./useValues";

const LISTED_MAX = 60;

/** A field to be chosen. */
export function FieldEditor({ current, onField }: { current?: string; onField: (field: string) => void }) {
  const labels = useLabels();
  const [typed, setTyped] = useState("");
  const found = FIELDS.filter((id) => begins(typed, labels.field(id), id));
  return (
    <Menu typed={typed} onTyped={setTyped} hint={say("field_search")} name={say("fields")} onEnter={() => found[0] !== undefined && onField(found[0])}>
      {found.map((id) => (
        <button key={id} type="button" className="menu-item" aria-current={id === current} onClick={() => onField(id)}>
          {labels.field(id)}
        </button>
      ))}
    </Menu>
  );
}

interface ValuesProps {
  condition: Condition;
  /** What else is asked for: the values are looked for among those events. */
  others: string;
  filters: Filters;
  onCondition: (condition: Condition) => void;
  onDone: () => void;
}

/** The values of a condition, to be ticked; what is typed can be one although no event has it. */
export function ValuesEditor({ condition, others, filters, onCondition, onDone }: ValuesProps) {
  const labels = useLabels();
  const [typed, setTyped] = useState("");
  const [first] = useState(condition.values);
  const { field, values, negated } = condition;
  const found = useValues([field], others, filters, typed);
  const choices = found.of.get(field) ?? [];
  const toggle = (value: Value) => onCondition({ ...condition, values: isAmong(values, value) ? values.filter((each) => !isSame(each, value)) : [...values, value] });
  const own = typedValue(typed);
  const isNew = own.text !== "" && !choices.some((choice) => choice.value === own.text);
  /** Takes what stands first, as in any list that is searched. */
  const take = () => {
    const [best] = choices;
    if (best !== undefined || isNew) toggle(best === undefined ? own : whole(best));
    onDone();
  };
  // Those that were chosen at first stay at the top, and nothing moves while one is ticked.
  const top = typed === "" ? first.filter((value) => value.prefix || !choices.some((choice) => choice.value === value.text)) : [];
  return (
    <Menu typed={typed} onTyped={setTyped} hint={say("value_search")} name={say("values_of", { field: labels.field(field) })} onEnter={take}>
      {top.map((value) => (
        <Item key={`own ${value.text}`} label={value.prefix ? `${value.text}*` : labels.value(field, value.text) || value.text} isOn={isAmong(values, value)} onClick={() => toggle(value)} />
      ))}
      {choices.slice(0, LISTED_MAX).map((choice) => (
        <Item key={choice.value} label={choice.label} detail={choice.detail} count={choice.count} isOn={isAmong(values, whole(choice))} onClick={() => toggle(whole(choice))} />
      ))}
      {isNew && (
        <Item label={say("typed_value", { field: labels.field(field), relation: say(negated ? "is_not" : "is"), value: typed.trim() })} isOn={isAmong(values, own)} onClick={() => toggle(own)} />
      )}
      <State isLoading={found.isLoading} problem={found.problem} isEmpty={choices.length + top.length === 0 && typed === ""} isMore={choices.length > LISTED_MAX} />
    </Menu>
  );
}

interface AddedProps {
  query: string;
  filters: Filters;
  onQuery: (query: string) => void;
  onDone: () => void;
}

/** A condition that the query does not have yet: its field, then whether it is, and which values. */
export function AddedCondition({ query, filters, onQuery, onDone }: AddedProps) {
  const labels = useLabels();
  const [condition, setCondition] = useState<Condition | null>(null);
  const [before] = useState(query);
  if (condition === null) return <FieldEditor onField={(field) => setCondition({ field, values: [], negated: false })} />;
  const change = (next: Condition) => {
    setCondition(next);
    onQuery(next.values.length === 0 ? before : withCondition(before, next));
  };
  return (
    <>
      <fieldset className="segmented" aria-label={say("relation", { field: labels.field(condition.field) })}>
        {[false, true].map((negated) => (
          <label key={String(negated)}>
            <input type="radio" name="relation" checked={condition.negated === negated} onChange={() => change({ ...condition, negated })} />
            {`${labels.field(condition.field)} ${say(negated ? "is_not" : "is")}`}
          </label>
        ))}
      </fieldset>
      <ValuesEditor condition={condition} others={before} filters={filters} onCondition={change} onDone={onDone} />
    </>
  );
}

interface MenuProps {
  typed: string;
  onTyped: (typed: string) => void;
  hint: string;
  name: string;
  onEnter: () => void;
  children: ReactNode;
}

/** A field to search with and what was found; arrows move between them. */
function Menu({ typed, onTyped, hint, name, onEnter, children }: MenuProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  return (
    <div className="searched-menu" onKeyDown={moveFocus}>
      <input ref={input} className="input" type="search" value={typed} onChange={({ target }) => onTyped(target.value)} onKeyDown={({ key }) => key === "Enter" && onEnter()} placeholder={hint} aria-label={hint} spellCheck={false} autoComplete="off" dir="auto" />
      <div className="menu" role="group" aria-label={name}>
        {children}
      </div>
    </div>
  );
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>("input, .menu-item")];
  const at = stops.indexOf(event.target as HTMLElement);
  stops[Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), stops.length - 1)]?.focus();
  event.preventDefault();
}

function Item({ label, detail = "", count, isOn, onClick }: { label: string; detail?: string; count?: number; isOn: boolean; onClick: () => void }) {
  return (
    <button type="button" className="menu-item" aria-pressed={isOn} onClick={onClick}>
      <span className="line">
        <bdi>{clip(label, 80)}</bdi>
        {detail !== "" && (
          <small className="muted">
            {" "}
            <bdi>{clip(detail, 80)}</bdi>
          </small>
        )}
      </span>
      {isOn && <Tick />}
      {count !== undefined && <span className="muted number">{number(count)}</span>}
    </button>
  );
}

function State({ isLoading, problem, isEmpty, isMore }: { isLoading: boolean; problem: Error | null; isEmpty: boolean; isMore: boolean }) {
  if (problem !== null) return <p className="muted">{say("values_failed", { reason: problem.message })}</p>;
  if (isLoading) return <p className="muted">{say("loading_values")}</p>;
  if (isMore) return <p className="muted">{say("more_values")}</p>;
  return isEmpty ? <p className="muted">{say("no_values")}</p> : null;
}

function whole(choice: Choice): Value {
  return { text: choice.value, prefix: false };
}

function isSame(left: Value, right: Value): boolean {
  return left.text === right.text && left.prefix === right.prefix;
}

function isAmong(values: Value[], value: Value): boolean {
  return values.some((each) => isSame(each, value));
}
