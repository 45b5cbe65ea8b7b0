import { useEffect, useRef, type RefObject } from "react";
import type { QueryFault } from "../../api/problem";
import { FAULT_ID } from "./SearchBox";

/** What is wrong with a query, under it: a sentence, and the text with the place marked. */
export function Fault({ query, fault }: { query: string; fault: QueryFault }) {
  const [before, at, after] = cut(query, fault);
  return (
    <div className="query-fault" id={FAULT_ID} role="alert">
      {fault.detail}
      <pre className="mono" aria-hidden="true">
        {before.length > 60 ? `…${before.slice(-60)}` : before}
        <mark>{at}</mark>
        {after.slice(0, 60)}
      </pre>
    </div>
  );
}

/** The field's text once more, unseen, so that its faulty character is marked where it stands. */
export function Marked({ text, fault, field }: { text: string; fault: QueryFault; field: RefObject<HTMLInputElement | null> }) {
  const place = useRef<HTMLDivElement>(null);
  const [before, at, after] = cut(text, fault);
  useEffect(() => {
    const input = field.current;
    if (input === null) return;
    const follow = () => place.current?.scrollTo({ left: input.scrollLeft });
    follow();
    input.addEventListener("scroll", follow);
    return () => input.removeEventListener("scroll", follow);
  });
  return (
    <div ref={place} className="search-marked" dir="auto" aria-hidden="true">
      {before}
      <mark>{at}</mark>
      {after}
    </div>
  );
}

/** The text before, at and after a fault. Columns count characters, not UTF-16 units. */
function cut(text: string, fault: QueryFault): [string, string, string] {
  const characters = [...text];
  const at = Math.min(fault.column - 1, characters.length);
  return [characters.slice(0, at).join(""), characters[at] ?? " ", characters.slice(at + 1).join("")];
}
