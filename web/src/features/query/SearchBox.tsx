// The search box: the text of the query, what can be written next, and what is wrong with it.
//
// Invariants
// - What is typed runs ahead of the query by one pause; leaving the box says what was left unsaid.
// - A query that is changed elsewhere replaces the text, but not while it is the one that was said here.
//
// Not here: what is offered (Completion.tsx), what a text means at a caret (query/spot.ts); whether it is right only the server says.
import { lazy, Suspense, useEffect, useId, useLayoutEffect, useRef, useState, type FormEvent, type InputHTMLAttributes, type KeyboardEvent, type RefObject } from "react";
import type { Filters } from "../../api/contract";
import type { QueryFault } from "../../api/problem";
import { besides, isUnfinished, spotAt, type Draft } from "../../query/spot";
import { terms } from "../../query/terms";
import { Cross, Magnifier } from "../../ui/icons";
import type { Step } from "../../ui/place";
import { wordsOf } from "../../ui/words";
import en from "./box.en.json";

const say = wordsOf({ en });

const Completion = lazy(() => import("./Completion"));
const Marked = lazy(() => import("./Fault").then(({ Marked }) => ({ default: Marked })));

/** The id of what is said of a fault, wherever that stands. */
export const FAULT_ID = "query-fault";

/** A pause in typing after which the text is asked for; what an earlier pause asked for is cancelled then. */
const PAUSE_MS = 60;

interface Props {
  query: string;
  filters: Filters;
  fault: QueryFault | null;
  field: RefObject<HTMLInputElement | null>;
  /** What is typed in one go is one step to come back from. */
  onQuery: (query: string, step: Step) => void;
  /** Hears which term, by its place in the query, the next Backspace removes. */
  onPick: (term: number | null) => void;
}

/** The text of the query, with what can be written next below it. It runs ahead of `query` while somebody types, and follows it when a chip changes it. */
export function SearchBox({ query, filters, fault, field, onQuery, onPick }: Props) {
  const { draft, spot, isOpen, setOpen, keys, choose, handlers } = useTyping(query, field, onQuery, onPick);
  const [active, setActive] = useState<string | null>(null);
  const list = useId();
  const isShown = isOpen && active !== null;
  const shown = fault !== null && draft.text.trim() === query.trim() ? fault : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setOpen(false);
    draft.say(draft.text, true);
  };
  return (
    <form className="search" role="search" data-faulty={shown !== null} onSubmit={submit}>
      <Magnifier />
      <div className="search-text">
        <Suspense fallback={null}>{shown !== null && <Marked text={draft.text} fault={shown} field={field} />}</Suspense>
        <input
          ref={field}
          type="text"
          role="combobox"
          value={draft.text}
          {...handlers}
          placeholder={say("search_hint")}
          aria-label={say("search_events")}
          aria-expanded={isShown}
          aria-controls={isShown ? list : undefined}
          aria-autocomplete="list"
          aria-activedescendant={(isShown && active) || undefined}
          aria-invalid={shown !== null}
          aria-describedby={shown === null ? undefined : FAULT_ID}
          enterKeyHint="search"
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          dir="auto"
        />
      </div>
      {draft.text === "" ? (
        <kbd className="kbd pointer-only">/</kbd>
      ) : (
        <button type="button" className="icon-button" aria-label={say("clear_search")} onClick={() => (draft.set(""), draft.say("", true), field.current?.focus())}>
          <Cross />
        </button>
      )}
      {isOpen && (
        <Suspense fallback={null}>
          <Completion id={list} text={draft.text} spot={spot} filters={filters} keys={keys} onActive={setActive} onChoose={choose} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </form>
  );
}

/** What is written, where the caret stands in it, and whether what can be written next is offered. `keys` gets the keys first while it is. */
export function useTyping(query: string, field: Props["field"], onQuery: Props["onQuery"], onPick: Props["onPick"]) {
  const draft = useDraft(query, onQuery);
  const [caret, setCaret] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const keys = useRef<((event: KeyboardEvent) => boolean) | null>(null);
  const placed = usePlacedCaret(field);
  const choose = ({ text, caret: at, isWhole }: Draft) => {
    setCaret(at);
    placed.current = at;
    setOpen(!isWhole);
    draft.set(text);
    draft.say(isWhole ? text : besides(text, spotAt(text, at)), isWhole);
  };
  const offer = () => draft.text === "" && setOpen(true);
  const handlers: InputHTMLAttributes<HTMLInputElement> = {
    onChange: ({ target }) => {
      const [text, at] = [target.value, target.selectionStart ?? target.value.length];
      setCaret(at);
      setOpen(true);
      onPick(null);
      draft.set(text);
      draft.sayAfterPause(asked(text, at));
    },
    onSelect: ({ currentTarget }) => setCaret(currentTarget.selectionStart ?? 0),
    onKeyDown: (event) => {
      if (isOpen && keys.current?.(event) === true) return event.preventDefault();
      if (event.key === "ArrowDown" && !isOpen) {
        event.preventDefault();
        return setOpen(true);
      }
      if (event.key === "Backspace") pickLast(event, onPick);
    },
    onFocus: offer,
    onClick: offer,
    onBlur: () => {
      setOpen(false);
      onPick(null);
      draft.settle();
    },
  };
  return { draft, spot: spotAt(draft.text, Math.min(caret, draft.text.length)), isOpen, setOpen, keys, choose, handlers };
}

/** What a text asks for while it is written: all but a term that waits for its value, which would only be refused. */
function asked(text: string, caret: number): string {
  const spot = spotAt(text, caret);
  return isUnfinished(text, spot) ? besides(text, spot) : text;
}

/** What is written, which of it was said to be the query, and the pause between. */
function useDraft(query: string, onQuery: Props["onQuery"]) {
  const [text, set] = useState(query);
  const said = useRef(query);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (query === said.current) return;
    clearTimeout(timer.current);
    said.current = query;
    set(query);
  }, [query]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const isTyping = useRef(false);
  const sayNow = (wanted: string, isDone: boolean) => {
    clearTimeout(timer.current);
    if (wanted.trim() !== said.current.trim()) {
      said.current = wanted.trim();
      onQuery(said.current, isTyping.current ? "replace" : "push");
      isTyping.current = true;
    }
    if (isDone) isTyping.current = false;
  };
  return {
    text,
    /** What was typed before waits no more: it is not the text any longer. */
    set: (next: string) => (clearTimeout(timer.current), set(next)),
    say: sayNow,
    sayAfterPause: (next: string) => void (timer.current = setTimeout(() => sayNow(next, false), PAUSE_MS)),
    /** Says what was left unsaid. */
    settle: () => sayNow(text, true),
  };
}

/** Where the caret is to be once the text is drawn. */
function usePlacedCaret(field: RefObject<HTMLInputElement | null>) {
  const placed = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (placed.current === null) return;
    field.current?.setSelectionRange(placed.current, placed.current);
    placed.current = null;
  });
  return placed;
}

/** Behind a finished term and its space, Backspace selects the term; the next one, as in any text, removes it. */
function pickLast(event: KeyboardEvent<HTMLInputElement>, onPick: Props["onPick"]): void {
  const { value, selectionStart, selectionEnd } = event.currentTarget;
  const found = terms(value);
  const last = found.at(-1);
  if (last === undefined || last.kind === "words" || selectionStart !== value.length || selectionEnd !== value.length || last.end === value.length) return;
  event.preventDefault();
  event.currentTarget.setSelectionRange(last.start, value.length);
  onPick(found.length - 1);
}
