// An organization's policy as fields of a form: each is inherited, or set here to what is written in its field.
import type { OrganizationSetup, PolicySettings } from "../../api/administration";
import { FieldFault } from "../../ui/attempt";
import { linesOf } from "../../ui/lines";
import { say } from "./words";

/** How a field is written: `number` empty is null; `lines` are one value each; `json` is for lists and tables. */
export type Kind = "number" | "switch" | "text" | "zone" | "time" | "lines" | "choice" | "json";

export interface Field {
  name: string;
  kind: Kind;
  choices?: readonly string[];
}

/** Groups of fields, in the order of the form. */
export const GROUPS: readonly { name: string; fields: readonly Field[] }[] = [
  {
    name: "keeping",
    fields: [
      { name: "retention_days", kind: "number" },
      { name: "legal_hold", kind: "switch" },
    ],
  },
  {
    name: "rights",
    fields: ["view_roles", "view_permissions", "export_roles", "export_permissions", "administer_roles", "administer_permissions"].map((name) => ({ name, kind: "lines" })),
  },
  {
    name: "ranges",
    fields: [
      { name: "time_zone", kind: "zone" },
      { name: "default_range_days", kind: "number" },
      { name: "max_range_days", kind: "number" },
      { name: "presets", kind: "lines" },
    ],
  },
  {
    name: "screen",
    fields: [
      { name: "title", kind: "text" },
      { name: "breadcrumb", kind: "lines" },
      { name: "coverage_note", kind: "text" },
      { name: "feedback_url", kind: "text" },
      { name: "hide_reads", kind: "switch" },
    ],
  },
  {
    name: "recording",
    fields: [
      { name: "recorded_since", kind: "time" },
      { name: "backfill", kind: "choice", choices: ["accept", "refuse"] },
      { name: "unknown_actions", kind: "choice", choices: ["accept", "mark", "refuse"] },
      { name: "redaction", kind: "switch" },
    ],
  },
  { name: "embedding", fields: [{ name: "embed_origins", kind: "lines" }] },
  { name: "words", fields: ["columns", "details", "filters", "labels", "queries"].map((name) => ({ name, kind: "json" })) },
];

/** What is in a field of the form; null is inherited. */
export type Written = string | null;

/** What the fields have that somebody changed, by name. */
export type Draft = Readonly<Record<string, Written>>;

/** A value as it stands in its field. */
export function write(kind: Kind, value: unknown): string {
  if (kind === "json") return JSON.stringify(value, null, 2);
  if (kind === "lines") return (value as string[]).join("\n");
  return value === null || value === undefined ? "" : String(value);
}

/** What a policy's field has; null where it is inherited. */
export function written(policy: PolicySettings, { name, kind }: Field): Written {
  return name in policy ? write(kind, policy[name]) : null;
}

/** The value of what is written in a field; rejects what cannot be one with a fault at the field. The rest is for the server to judge. */
export function read({ name, kind }: Field, text: string): unknown {
  const trimmed = text.trim();
  switch (kind) {
    case "number":
      // What is no number must not become null, which is no limit at all.
      if (!/^\d{0,9}$/.test(trimmed)) throw new FieldFault(fieldPointer(name), say("no_days"));
      return trimmed === "" ? null : Number(trimmed);
    case "switch":
      return trimmed === "true";
    case "lines":
      return linesOf(trimmed);
    case "json":
      try {
        return JSON.parse(trimmed) as unknown;
      } catch (reason) {
        throw new FieldFault(fieldPointer(name), reason instanceof Error ? reason.message : String(reason));
      }
    case "text":
    case "time":
      return trimmed === "" ? null : trimmed;
    default:
      return trimmed;
  }
}

/** The name of a field's input: where the server's faults point. */
export function fieldPointer(name: string): string {
  return `policy/${name}`;
}

/** `policy` with what the draft has; fields that it does not speak of stay as they are. */
export function applied(policy: PolicySettings, draft: Draft): PolicySettings {
  const next = { ...policy };
  for (const field of GROUPS.flatMap((group) => group.fields)) {
    const text = draft[field.name];
    if (text === null) delete next[field.name];
    else if (text !== undefined) next[field.name] = read(field, text);
  }
  return next;
}

/** The names of fields in which two setups differ. A shorter retention that waits is not in the policy, and belongs to the retention all the same. */
export function differences(one: OrganizationSetup, other: OrganizationSetup): string[] {
  const [before, now] = [one, other].map(({ policy, pending_retention: pending }): PolicySettings => ({ ...policy, retention_days: { days: policy["retention_days"], pending } })) as [PolicySettings, PolicySettings];
  return Object.keys({ ...before, ...now }).filter((name) => !isSame(before[name], now[name]));
}

/** Whether another shorter retention waits, or only in one of them. */
export function waitsOtherwise(one: OrganizationSetup, other: OrganizationSetup): boolean {
  return !isSame(one.pending_retention, other.pending_retention);
}

/** What can be said of a shorter retention that waits, as it is written in the field: it stands, or the days in force stay. Null when none waits. */
export function retentionChoices({ policy, pending_retention: pending }: OrganizationSetup): { stands: string; back: string } | null {
  return pending === null ? null : { stands: write("number", pending.retention_days), back: write("number", policy["retention_days"]) };
}

/** Whether something is changed, but not said what becomes of the shorter retention that waits: writing the settings back says it in any case. */
export function isUndecided(setup: OrganizationSetup, draft: Draft): boolean {
  const choices = retentionChoices(setup);
  const text = draft["retention_days"];
  return choices !== null && Object.keys(draft).length > 0 && text !== choices.stands && text !== choices.back;
}

/** A draft that began with `one`, for `other`: what was said of the retention does not speak of a shorter one that nobody had seen. */
export function carried(draft: Draft, one: OrganizationSetup, other: OrganizationSetup): Draft {
  if (!waitsOtherwise(one, other)) return draft;
  const { retention_days: _, ...rest } = draft;
  return rest;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
