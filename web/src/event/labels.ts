// What an organization calls things: the words of its policy and its catalog, else the built-in ones.
import { createContext, useContext } from "react";
import type { Event, Json, Policy } from "../api/contract";
import { fullTime } from "../ui/time";
import { UTC, type Zone } from "../ui/zone";
import { own } from "./own";
import { render, type Found } from "./template";
import { countryName, fieldName, sentenceCase, valueLabel } from "./words";

/** Event paths by the field that queries filter by; a field that is not here is its own path. */
const PATHS: Record<string, string> = {
  actor_type: "actor.type",
  team: "actor.team",
  target: "targets",
  target_type: "targets.type",
  ip: "context.ip",
  changed: "changes.field",
};

const TIMES = new Set(["occurred_at", "received_at", "expires_at"]);

export interface Labels {
  /** Whether words of the policy or catalog may stand for what an event has. */
  rename: (event: Event) => boolean;
  /** What a filter's field is called. */
  field: (field: string) => string;
  /** What a value of a filter's field is called; empty where the policy wants nothing to be seen. */
  value: (field: string, value: string) => string;
  /** What stands for a value at an event path. */
  at: (path: string, value: Json) => string;
  /** What stands for the value of a changed field: the policy may have words for it by the field's name, which is the product's own, whatever paths of events are called. */
  changed: (field: string, value: Json) => string;
  /** A column's or line's text over an event. */
  render: (template: string, event: Event) => string;
  /** The product's word for something of the screen, else `builtIn`. */
  screen: (name: string, builtIn: string) => string;
  /** Whether the catalog knows an action; true for all when there is none. */
  isKnown: (action: string) => boolean;
  /** Why an action matters for security, if the catalog says so. */
  why: (action: string) => string | null;
}

/** The words of a policy; times are those of `zone`. */
export function createLabels(policy: Policy, zone: Zone): Labels {
  const { fields, values, screen } = policy.labels;
  const areas = new Map(policy.areas.map((area) => [area.id, area.label]));
  const types = new Map(policy.action_types.map((type) => [type.id, type.label]));
  const actions = new Map(policy.actions.map((action) => [action.id, action]));
  const named = (path: string, value: string): string | undefined => {
    const said = own(own(values, path) ?? {}, value);
    if (said !== undefined) return said;
    if (path === "area") return areas.get(value);
    if (path === "action_type") return types.get(value);
    return path === "action" ? actions.get(value)?.label : undefined;
  };
  const isRenamed = (path: string, value: string) => ![undefined, value, valueLabel(path, value)].includes(named(path, value));
  const changed = (field: string, value: Json): string => {
    if (typeof value === "object" && value !== null) return JSON.stringify(value);
    return named(field, String(value)) ?? String(value);
  };
  const at = (path: string, value: Json): string => {
    if (typeof value === "object" && value !== null) return JSON.stringify(value);
    const text = String(value);
    if (TIMES.has(path) && !Number.isNaN(Date.parse(text))) return fullTime(text, zone);
    return named(path, text) ?? (path === "country" ? countryName(text) : path === "action_type" || path === "area" ? valueLabel(path, text) : text);
  };
  return {
    rename: (event) =>
      // The catalog of every organization has the built-in types under their built-in words.
      Object.keys({ ...fields, ...values }).length > 0 || (["action", "area", "action_type"] as const).some((path) => event[path] != null && isRenamed(path, event[path])),
    field: (field) => {
      // A filter is called as its field is, and a path as the policy has it.
      return own(fields, field) ?? own(fields, own(PATHS, field) ?? field) ?? fieldName(field);
    },
    value: (field, value) => named(own(PATHS, field) ?? field, value) ?? valueLabel(field, value),
    at,
    changed,
    render: (template, event) => render(template, event, ({ of, value, isChanged }: Found) => (isChanged ? changed : at)(of, value)),
    screen: (name, builtIn) => own(screen, name) ?? builtIn,
    isKnown: (action) => actions.size === 0 || actions.has(action) || action.startsWith("trailbook."),
    why: (action) => actions.get(action)?.why ?? null,
  };
}

export const LabelsContext = createContext<Labels>(
  createLabels({ labels: { fields: {}, values: {}, screen: {} }, areas: [], action_types: [], actions: [] } as unknown as Policy, UTC),
);

/** The words of the organization on the screen. */
export function useLabels(): Labels {
  return useContext(LabelsContext);
}

/** A path of an event in words, where the policy has none. */
export function pathName(path: string): string {
  return sentenceCase(path.replace(/^metadata\./, "").replaceAll(".", " "));
}
