import { useState } from "react";
import type { Event } from "../../api/contract";
import { valuesOf } from "../../query/terms";

type Names = ReadonlyMap<string, string>;

/** Names by their ids, of people and targets on the list; those that the query has are kept when no event shows them any more. */
export function useNames(events: readonly Event[], query: string): Names {
  const [kept, setKept] = useState<{ events: readonly Event[]; query: string; names: Names }>({ events: [], query: "", names: new Map() });
  if (kept.events === events && kept.query === query) return kept.names;
  const asked = ["actor", "target"].flatMap((field) => [true, false].flatMap((negated) => valuesOf(query, field, negated)));
  const before = asked.flatMap((id) => (kept.names.has(id) ? [[id, kept.names.get(id)!] as const] : []));
  const seen = events.flatMap(({ actor, targets }) => [actor, ...(targets ?? [])].flatMap((each) => (each?.id && each.name ? [[each.id, each.name] as const] : [])));
  const names = new Map([...before, ...seen]);
  setKept({ events, query, names });
  return names;
}
