import { useEffect, useRef, useState, type RefObject } from "react";
import type { QueryFault } from "../../api/problem";
import { Cross, Magnifier } from "../../ui/icons";

/** A pause in typing after which the text is asked for. */
const PAUSE_MS = 300;

interface Props {
  query: string;
  fault: QueryFault | null;
  field: RefObject<HTMLInputElement | null>;
  /** `isDone` tells a pause in typing from Enter. */
  onQuery: (query: string, isDone: boolean) => void;
}

/** The text of the query. It runs ahead of `query` while somebody types, and follows it when a chip changes it. */
export function SearchBox({ query, fault, field, onQuery }: Props) {
  const [draft, setDraft] = useState(query);
  const said = useRef(query);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => {
    if (query === said.current) return;
    clearTimeout(timer.current);
    said.current = query;
    setDraft(query);
  }, [query]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const say = (text: string, isDone: boolean) => {
    clearTimeout(timer.current);
    said.current = text;
    onQuery(text, isDone);
  };
  const type = (text: string) => {
    setDraft(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => say(text, false), PAUSE_MS);
  };

  const shown = fault !== null && draft === query ? fault : null;
  return (
    <form className="search" role="search" data-faulty={shown !== null} onSubmit={(event) => (event.preventDefault(), say(draft, true))}>
      <Magnifier />
      <input
        ref={field}
        type="search"
        value={draft}
        onChange={(event) => type(event.target.value)}
        placeholder="Search, or type  actor:sarah type:delete -area:reporting"
        aria-label="Search events"
        aria-invalid={shown !== null}
        aria-describedby={shown === null ? undefined : "query-fault"}
        spellCheck={false}
        autoComplete="off"
        dir="auto"
      />
      {draft === "" ? (
        <kbd className="kbd pointer-only">/</kbd>
      ) : (
        <button type="button" className="icon-button" aria-label="Clear the search" onClick={() => (setDraft(""), say("", true), field.current?.focus())}>
          <Cross />
        </button>
      )}
    </form>
  );
}

/** What is wrong with a query, under it: a sentence, and the text with the place marked. */
export function Fault({ query, fault }: { query: string; fault: QueryFault }) {
  // Columns count characters, not UTF-16 units.
  const characters = [...query];
  const at = fault.column === null ? null : Math.min(fault.column - 1, characters.length);
  return (
    <div className="query-fault" id="query-fault" role="alert">
      {fault.column !== null && !/\bcolumn\b/i.test(fault.detail) && `Column ${fault.column}: `}
      {fault.detail}
      {at !== null && (
        <pre className="mono" aria-hidden="true">
          {at > 60 && "…"}
          {characters.slice(Math.max(0, at - 60), at).join("")}
          <mark>{characters[at] ?? " "}</mark>
          {characters.slice(at + 1, at + 60).join("")}
        </pre>
      )}
    </div>
  );
}
