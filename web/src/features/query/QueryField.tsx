import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import { Problem, queryFault } from "../../api/problem";
import { resolve, type Range } from "../../query/range";
import { useScreen } from "../../screen";
import { FieldPlace } from "../../ui/Form";
import { Cross } from "../../ui/icons";
import { useNow } from "../../ui/useNow";
import { useZone } from "../../ui/useZone";
import Completion from "./Completion";
import { Fault, Marked } from "./Fault";
import { say } from "./say";
import { FAULT_ID, useTyping } from "./SearchBox";

/** Days whose events are counted, so that somebody sees what a query comes to. */
const COUNTED_DAYS = 7;

interface Props {
  label: string;
  name: string;
  first: string;
}

/** A query as a field of a form: with the search box's completion, what is wrong with it, and how many events of late it has. */
export function QueryField({ label, name, first }: Props) {
  const { client, policy } = useScreen();
  const zone = useZone();
  const now = useNow();
  const field = useRef<HTMLInputElement>(null);
  const [query, setQuery] = useState(first);
  const { draft, spot, isOpen, setOpen, keys, choose, handlers } = useTyping(query, field, setQuery, () => undefined);
  const [active, setActive] = useState<string | null>(null);
  const list = useId();
  const isShown = isOpen && active !== null;
  const days = Math.min(COUNTED_DAYS, policy.max_range_days ?? COUNTED_DAYS);
  const range: Range = { kind: "last", count: days, unit: "d" };
  const { from } = resolve(range, now, zone, policy);
  const counted = useQuery({ queryKey: ["count", "field", query, from], queryFn: async ({ signal }) => (await client.count({ q: query, from }, signal)).count, placeholderData: keepPreviousData });
  const fault = counted.error instanceof Problem && draft.text.trim() === query.trim() ? queryFault(counted.error) : null;
  const hint = fault !== null ? "" : counted.isSuccess ? say("matched", { count: counted.data, days }) : say("everything");
  return (
    <FieldPlace label={label} name={name} hint={hint}>
      {(joined) => (
        <>
          <div className="search" data-faulty={fault !== null || joined["aria-invalid"]}>
            <div className="search-text">
              {fault !== null && <Marked text={draft.text} fault={fault} field={field} />}
              <input
                ref={field}
                type="text"
                role="combobox"
                value={draft.text}
                {...handlers}
                {...joined}
                aria-expanded={isShown}
                aria-controls={isShown ? list : undefined}
                aria-autocomplete="list"
                aria-activedescendant={(isShown && active) || undefined}
                aria-invalid={fault !== null || joined["aria-invalid"]}
                aria-describedby={fault === null ? joined["aria-describedby"] : FAULT_ID}
                spellCheck={false}
                autoComplete="off"
                autoCapitalize="off"
                dir="auto"
              />
            </div>
            {draft.text !== "" && (
              <button type="button" className="icon-button" aria-label={say("clear_query")} onClick={() => (draft.set(""), draft.say("", true), field.current?.focus())}>
                <Cross />
              </button>
            )}
            {isOpen && <Completion id={list} text={draft.text} spot={spot} filters={{ from }} keys={keys} onActive={setActive} onChoose={choose} onClose={() => setOpen(false)} />}
          </div>
          {fault !== null && <Fault query={query} fault={fault} />}
        </>
      )}
    </FieldPlace>
  );
}
