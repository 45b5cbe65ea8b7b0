import { useEffect, useMemo, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";
import type { Filters } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import { besides, type Draft, type Spot } from "../../query/spot";
import { nameOf } from "../../query/terms";
import { useScreen } from "../../screen";
import { useNow } from "../../ui/useNow";
import { useZone } from "../../ui/useZone";
import { number } from "../../ui/words";
import { questions } from "./questions";
import { say } from "./say";
import { FOUND_IN, suggest, type Group, type Suggestion } from "./suggestions";
import { useValues } from "./useValues";

interface Props {
  id: string;
  text: string;
  spot: Spot;
  filters: Filters;
  /** Takes keys of the field; true for those that it has used. */
  keys: RefObject<((event: KeyboardEvent) => boolean) | null>;
  /** Hears which one Enter takes: empty is none of them, null that there are none. */
  onActive: (id: string | null) => void;
  onChoose: (draft: Draft) => void;
  onClose: () => void;
}

const NO_FIELDS: readonly string[] = [];

/** What can be written next, below the field that is written in; the field keeps the focus. */
export default function Completion({ id, text, spot, filters, keys, onActive, onChoose, onClose }: Props) {
  const { access } = useScreen();
  const labels = useLabels();
  const zone = useZone();
  const now = useNow();
  const values = useValues(useFieldsAt(spot), besides(text, spot), filters, spot.typed);
  const groups = useMemo(() => suggest({ text, spot, values: values.of, questions: questions(access), labels, zone, now }), [text, spot, values.of, access, labels, zone, now]);
  const all = groups.flatMap((group) => group.suggestions);
  const [active, setActive] = useActive(text, all.length);
  const optionId = (place: number) => `${id}-${place}`;

  const isShown = all.length > 0;
  useEffect(() => onActive(!isShown ? null : active === null ? "" : optionId(active)), [onActive, isShown, active, id]);
  useEffect(() => {
    keys.current = ({ key, shiftKey, altKey, nativeEvent }) => {
      if (nativeEvent.isComposing) return false;
      if (key === "Escape" && all.length > 0) return onClose(), true;
      if (key === "ArrowDown" || key === "ArrowUp") return setActive(step(active, key === "ArrowDown" ? 1 : -1, all.length)), true;
      const chosen = active === null ? undefined : all[active];
      if ((key !== "Enter" && key !== "Tab") || shiftKey || altKey || chosen === undefined) return false;
      return onChoose(chosen.draft), true;
    };
    return () => void (keys.current = null);
  });

  if (values.problem !== null && all.length === 0 && spot.field !== null) return <Box>{say("values_failed", { reason: values.problem.message })}</Box>;
  if (all.length === 0) return null;
  const titleOf = ({ name }: Group) => (name === "values" && spot.field !== null ? labels.field(spot.field) : say(name));
  let place = 0;
  return (
    <div className="popover completion" onPointerDown={(event) => event.preventDefault()}>
      <div id={id} role="listbox" className="completion-list" aria-label={say("suggestions")}>
        {groups.map((group) => (
          <div key={group.name} role="group" aria-label={titleOf(group)}>
            <div className="completion-title" aria-hidden="true">
              {titleOf(group)}
            </div>
            {group.suggestions.map((suggestion) => {
              const at = place++;
              return <Option key={at} id={optionId(at)} suggestion={suggestion} isAlone={group.name === "values"} isActive={at === active} onChoose={() => onChoose(suggestion.draft)} />;
            })}
          </div>
        ))}
      </div>
      <Hints isInField={spot.field !== null} isActive={active !== null} />
      <span role="status" className="unseen">
        {say("suggestion_count", { count: all.length })}
      </span>
    </div>
  );
}

/** The fields whose values can be written at a spot. */
function useFieldsAt({ field, typed }: Spot): readonly string[] {
  const isWord = field === null && typed.trim() !== "";
  return useMemo(() => (field === null ? (isWord ? FOUND_IN : NO_FIELDS) : field === "before" || field === "after" ? NO_FIELDS : [field]), [field, isWord]);
}

/** The place of the suggestion that Enter takes; none after the text has changed. */
function useActive(text: string, count: number): [number | null, (place: number | null) => void] {
  const [active, setActive] = useState<{ place: number; text: string } | null>(null);
  const place = active !== null && active.text === text && active.place < count ? active.place : null;
  return [place, (next) => setActive(next === null ? null : { place: next, text })];
}

/** One further, and from either end back to the text, where nothing is active. */
function step(active: number | null, by: 1 | -1, count: number): number | null {
  const next = active === null ? (by === 1 ? 0 : count - 1) : active + by;
  return next < 0 || next >= count ? null : next;
}

function Box({ children }: { children: ReactNode }) {
  return <div className="popover completion said">{children}</div>;
}

function Option({ id, suggestion, isAlone, isActive, onChoose }: { id: string; suggestion: Suggestion; isAlone: boolean; isActive: boolean; onChoose: () => void }) {
  const { name, detail, count } = useParts(suggestion, isAlone);
  return (
    <div
      id={id}
      role="option"
      aria-selected={isActive}
      className="menu-item"
      onClick={onChoose}
      ref={(element) => {
        if (isActive) element?.scrollIntoView({ block: "nearest" });
      }}
    >
      <span className="line">{name}</span>
      {detail !== "" && (
        <small className="muted line">
          <bdi>{clip(detail, 80)}</bdi>
        </small>
      )}
      {count !== null && <span className="muted number">{number(count)}</span>}
    </div>
  );
}

function useParts(suggestion: Suggestion, isAlone: boolean): { name: ReactNode; detail: string; count: number | null } {
  const labels = useLabels();
  const condition = (field: string, value: string) => (
    <>
      {!isAlone && <span className="muted">{`${labels.field(field)} ${say("is")} `}</span>}
      <b>
        <bdi>{clip(value, 80)}</bdi>
      </b>
    </>
  );
  switch (suggestion.kind) {
    case "question":
      return { name: say(suggestion.question.id), detail: suggestion.question.query, count: null };
    case "field":
      return { name: labels.field(suggestion.field), detail: `${nameOf(suggestion.field)}:`, count: null };
    case "operator":
      return { name: <>{labels.field(suggestion.field)} <b>{say(suggestion.operator)}</b></>, detail: suggestion.draft.text.slice(0, suggestion.draft.caret).trim().split(/\s/).at(-1) ?? "", count: null };
    case "address":
      return { name: condition("ip", suggestion.address), detail: "", count: null };
    case "day":
      return { name: suggestion.days === 0 ? say("today") : say("days_ago", { count: suggestion.days }), detail: suggestion.day, count: null };
    case "value":
      return { name: condition(suggestion.field, suggestion.choice.label), detail: suggestion.choice.detail, count: suggestion.choice.count };
  }
}

/** Which keys do what here. */
function Hints({ isInField, isActive }: { isInField: boolean; isActive: boolean }) {
  const hints: [string[], string][] = [
    [["↑", "↓"], say("hint_move")],
    isActive ? [["Enter", "Tab"], say("hint_take")] : [["Enter"], say("hint_search")],
    ...(isInField ? ([[[","], say("hint_another")]] as [string[], string][]) : []),
    [["Esc"], say("hint_close")],
  ];
  return (
    <div className="completion-hints" aria-hidden="true">
      {hints.map(([keys, meaning]) => (
        <span key={meaning}>
          {keys.map((key) => (
            <kbd key={key} className="kbd">
              {key}
            </kbd>
          ))}
          {meaning}
        </span>
      ))}
    </div>
  );
}
