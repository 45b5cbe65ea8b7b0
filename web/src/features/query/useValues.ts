import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { FacetValue, Filters } from "../../api/contract";
import { useLabels, type Labels } from "../../event/labels";
import { both, printCondition } from "../../query/terms";
import { useScreen } from "../../screen";
import { begins } from "./match";
import { useAsk } from "./useAsk";

/** So many values of a field are asked for at once; they are searched here when the field has no more. */
const VALUES_MAX = 200;
/** So many of the newest events are read for the addresses of the people in them. */
const PEOPLE_EVENTS = 100;
const FRESH_MS = 30_000;

/** A value that can be chosen. */
export interface Choice {
  value: string;
  label: string;
  /** What tells it apart from others of that label; may be empty. */
  detail: string;
  /** Events that have it. */
  count: number;
}

export interface Values {
  /** By field, most events first; only those that begin with what is typed. */
  of: ReadonlyMap<string, Choice[]>;
  isLoading: boolean;
  problem: Error | null;
}

/** The values of fields among the events of `query` in the range of `shown` that `typed` begins a word of; people are also found by their e-mail address. */
export function useValues(fields: readonly string[], query: string, shown: Filters, typed: string): Values {
  const { client } = useScreen();
  const labels = useLabels();
  const ask = useAsk(shown);
  // That reads are left out is no reason not to offer them.
  const filters = fields[0] === "action_type" ? { q: query.trim(), from: shown.from, to: shown.to } : ask(query);
  const wanted = typed.trim();
  const all = useFacets(fields, filters, "");
  const long = fields.filter((field) => (all.data?.[field]?.length ?? 0) >= VALUES_MAX);
  const some = useFacets(wanted === "" ? [] : long, filters, wanted);
  const persons = fields.includes("actor") && wanted !== "" ? named(filters, wanted) : null;
  const people = useFacets(persons === null ? [] : ["actor"], persons ?? filters, "");
  const emails = useQuery({
    queryKey: ["emails", persons ?? filters],
    queryFn: async ({ signal }) => {
      const { events } = await client.events({ ...(persons ?? filters), limit: PEOPLE_EVENTS }, signal);
      return new Map(events.flatMap(({ actor }) => (actor?.id && actor.email ? [[actor.id, actor.email] as const] : [])));
    },
    enabled: fields.includes("actor"),
    placeholderData: keepPreviousData,
    staleTime: FRESH_MS,
  }).data;

  const of = useMemo(() => {
    const choices = (field: string): Choice[] => {
      const known = [...(all.data?.[field] ?? []), ...(some.data?.[field] ?? [])].map((value) => choice(labels, field, value, emails));
      const begun = known.filter((each) => begins(wanted, each.label, each.value, each.detail));
      const byEmail = field === "actor" && wanted !== "" ? (people.data?.["actor"] ?? []).map((value) => choice(labels, field, value, emails)) : [];
      return [...new Map([...begun, ...byEmail].map((each) => [each.value, each])).values()];
    };
    return new Map(fields.map((field) => [field, choices(field)]));
  }, [fields, all.data, some.data, people.data, emails, labels, wanted]);
  return { of, isLoading: all.isPending || people.isLoading, problem: all.error };
}

function useFacets(fields: readonly string[], filters: Filters, prefix: string) {
  const { client } = useScreen();
  return useQuery({
    queryKey: ["facets", filters, fields, prefix],
    queryFn: async ({ signal }) => (await client.facets({ ...filters, field: fields, prefix, limit: VALUES_MAX }, signal)).facets,
    enabled: fields.length > 0,
    staleTime: FRESH_MS,
  });
}

/** The filters narrowed to people whose id, name or e-mail address begins with `typed`. */
function named(filters: Filters, typed: string): Filters {
  return { ...filters, q: both(filters.q ?? "", printCondition({ field: "actor", values: [{ text: typed, prefix: true }], negated: false })) };
}

function choice(labels: Labels, field: string, { value, label, count }: FacetValue, emails: ReadonlyMap<string, string> | undefined): Choice {
  const said = label === null || label === value ? labels.value(field, value) || value : label;
  const email = field === "actor" ? emails?.get(value) : undefined;
  return { value, label: said, detail: email === said ? "" : (email ?? (said.toLowerCase() === value.toLowerCase() ? "" : shown(field, value))), count };
}

/** Ids that say something beside a label; those of words that the label is made of do not. */
function shown(field: string, value: string): string {
  return field === "actor" || field === "target" || field === "action" ? value : "";
}
