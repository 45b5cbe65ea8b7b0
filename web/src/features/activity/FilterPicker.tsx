import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Client } from "../../api/client";
import type { FacetValue, Filters } from "../../api/contract";
import { Funnel, Tick } from "../../ui/icons";
import { Popover } from "../../ui/Popover";
import { valuesOf, withoutField, withoutValue, withValue } from "../../query/terms";
import { clip, fieldName, FIELDS, valueLabel } from "../../event/words";

const VALUES_MAX = 50;

interface Props {
  client: Client;
  filters: Filters;
  query: string;
  onQuery: (query: string) => void;
}

/** Fields and the values that occur in the result, to be put into the query's text or taken out of it. */
export function FilterPicker(props: Props) {
  const label = (
    <>
      <Funnel />
      Filter
    </>
  );
  return (
    <Popover label={label} atEnd boxClassName="filter-picker">
      {() => <Box {...props} />}
    </Popover>
  );
}

function Box(props: Props) {
  const [field, setField] = useState<string>(FIELDS[0][0]);
  return (
    <>
      <div className="menu" role="group" aria-label="Field">
        {FIELDS.map(([id, name]) => (
          <button key={id} type="button" className="menu-item" aria-pressed={id === field} onClick={() => setField(id)}>
            {name}
          </button>
        ))}
      </div>
      <Values key={field} field={field} {...props} />
    </>
  );
}

/** The values of one field. Its own conditions are left out of the question, so that others can be added. */
function Values({ client, filters, query, onQuery, field }: Props & { field: string }) {
  const [negated, setNegated] = useState(false);
  const [prefix, setPrefix] = useState("");
  const others = { ...filters, q: withoutField(query, field).trim() };
  const facets = useQuery({
    queryKey: ["facets", others, field, prefix],
    queryFn: async ({ signal }) => (await client.facets({ ...others, field, prefix: prefix.trim(), limit: VALUES_MAX }, signal)).facets[field] ?? [],
    placeholderData: keepPreviousData,
  });
  const chosen = valuesOf(query, field, negated);
  const found: FacetValue[] = facets.data ?? [];
  const listed = [...chosen.filter((value) => !found.some((each) => each.value === value)).map((value) => ({ value, label: null, count: null })), ...found];
  const typed = prefix.trim();
  const toggle = (value: string) => onQuery(chosen.includes(value) ? withoutValue(query, field, value) : withValue(query, field, value, negated));

  return (
    <div className="filter-values">
      <fieldset className="segmented" aria-label={`${fieldName(field)} is or is not`}>
        {[false, true].map((not) => (
          <label key={String(not)}>
            <input type="radio" name="relation" checked={negated === not} onChange={() => setNegated(not)} />
            {not ? "is not" : "is"}
          </label>
        ))}
      </fieldset>
      <input className="input" type="search" value={prefix} onChange={(event) => setPrefix(event.target.value)} placeholder={`${fieldName(field)} begins with…`} aria-label={`Values of ${fieldName(field)} that begin with`} spellCheck={false} />
      <div className="menu" role="group" aria-label={`Values of ${fieldName(field)}`}>
        {listed.map(({ value, label, count }) => (
          <button key={value} type="button" className="menu-item" aria-pressed={chosen.includes(value)} onClick={() => toggle(value)}>
            <b className="line">
              <bdi>{clip(label === null || label === value ? valueLabel(field, value) : label, 80)}</bdi>
            </b>
            {chosen.includes(value) && <Tick />}
            {count !== null && <span className="muted number">{count.toLocaleString("en")}</span>}
          </button>
        ))}
        {typed !== "" && !listed.some((each) => each.value === typed) && (
          <button type="button" className="menu-item" onClick={() => toggle(typed)}>
            <b className="line">
              {fieldName(field)} {negated ? "is not" : "is"} “<bdi>{typed}</bdi>”
            </b>
          </button>
        )}
        {facets.isError && <p className="muted">The values cannot be listed: {facets.error.message}</p>}
        {facets.isSuccess && listed.length === 0 && typed === "" && <p className="muted">No event here has one.</p>}
      </div>
    </div>
  );
}
