import { Cross } from "../../ui/icons";
import { terms, without, type Term } from "../../query/terms";
import { clip, fieldName, valueLabel } from "../../event/words";

interface Props {
  query: string;
  names: ReadonlyMap<string, string>;
  onQuery: (query: string) => void;
}

/** The query's conditions, each with a button that takes it out of the text. Bare words need no chip: the box shows them. */
export function Chips({ query, names, onQuery }: Props) {
  const shown = terms(query).filter((term) => term.kind !== "words");
  if (shown.length === 0) return null;
  return (
    <>
      {shown.map((term) => {
        const [name, relation, value] = describe(term, names);
        return (
          <span className="chip" key={term.start}>
            {name !== "" && <span>{`${name} ${relation}`}</span>}
            <b className="line">
              <bdi>{clip(value, 80)}</bdi>
            </b>
            <button type="button" className="icon-button" aria-label={`Remove the filter ${[name, relation, clip(value, 80)].join(" ").trim()}`} onClick={() => onQuery(without(query, term))}>
              <Cross />
            </button>
          </span>
        );
      })}
      <button type="button" className="button ghost small" onClick={() => onQuery("")}>
        Clear all
      </button>
    </>
  );
}

/** A term as name, relation and value. */
function describe(term: Term, names: ReadonlyMap<string, string>): [string, string, string] {
  if (term.kind !== "field") return ["", "", term.text];
  const { field, negated } = term;
  const values = term.values.map((each) => (each.prefix ? `${each.text}…` : valueLabel(field, each.text, names)));
  const value = values.join(" or ");
  if (field === "security" && values.length === 1) return ["", "", `${value} ${negated ? "left out" : "only"}`];
  const relation = field === "before" || field === "after" ? (negated ? "not" : "") : negated ? "is not" : "is";
  return [fieldName(field), relation, value];
}
