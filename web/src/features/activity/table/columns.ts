// The columns that a list can have: those of the policy, else the built-in ones, and any other path of an event.
import type { Policy } from "../../../api/contract";
import { pathName, type Labels } from "../../../event/labels";
import { onlyPath, parseTemplate } from "../../../event/template";

/** How a column's cells are drawn. What a template shows decides it, so that a product's own columns look as good as the built-in ones. */
export type Kind = "time" | "person" | "activity" | "target" | "address" | "type" | "security" | "result" | "text";

export interface Column {
  /** As the policy has it, or the path of an event. */
  id: string;
  label: string;
  /** A template over the event. */
  template: string;
  kind: Kind;
  /** Pixels that it has at least, and a share of what is left beside the others. */
  width: number;
  share: number;
  /** Whether times are written with their date; the built-in column leaves it to the heading of the day. */
  hasDate: boolean;
}

const BUILT_IN: { id: string; path: string; template: string }[] = [
  { id: "time", path: "occurred_at", template: "{occurred_at}" },
  { id: "user", path: "actor", template: "{actor.name|actor.email|actor.id|actor.type} · {actor.email}" },
  { id: "activity", path: "description", template: "{description|action}" },
  { id: "target", path: "target", template: "{targets.name|targets.email|targets.id|targets.type} · {targets.type} · {targets.email}" },
  { id: "ip", path: "ip", template: "{context.ip}" },
];

const WIDTHS: Record<Kind, [width: number, share: number]> = {
  time: [184, 0],
  person: [168, 5],
  activity: [190, 6],
  target: [150, 5],
  address: [150, 0],
  type: [96, 1],
  security: [136, 0],
  result: [96, 0],
  text: [120, 3],
};

const TIME_OF_DAY_WIDTH = 112;

/** Signs of templates and of the address bar; a path that has one of them cannot be a column. */
const RESERVED = /[{}|,]/;
const PATH_CHARACTERS_MAX = 256;

/** The events' members, by which the paths of columns begin. */
const MEMBERS = /^(id|sequence|received_at|expires_at|occurred_at|country|action|action_type|area|product|description|security|result|trace_id|client_id|message|(actor|targets|context|changes|metadata)\..+)$/;

/** Whether a text is a path that can be a column. */
export function isPath(text: string): boolean {
  return MEMBERS.test(text) && !RESERVED.test(text) && text.length <= PATH_CHARACTERS_MAX;
}

/** What the list has when nobody chose anything. */
export function defaultColumns(policy: Policy, labels: Labels): Column[] {
  if (policy.columns.length > 0) return policy.columns.map(({ id, label, value }) => create(id, label, value));
  return BUILT_IN.map(({ id, path, template }) => {
    const column = create(id, labels.field(path), template);
    return column.kind === "time" ? { ...column, hasDate: false, width: TIME_OF_DAY_WIDTH } : column;
  });
}

/** The column of an id: a default one's, or that of an event's path; null when it can be neither. */
export function columnOf(id: string, defaults: Column[], labels: Labels): Column | null {
  const known = defaults.find((column) => column.id === id);
  if (known !== undefined) return known;
  if (!isPath(id)) return null;
  const label = labels.field(id);
  const isNamed = label !== id && label !== id.slice("metadata.".length);
  return create(id, isNamed ? label : pathName(id), `{${id}}`);
}

function create(id: string, label: string, template: string): Column {
  const kind = kindOf(template);
  const [width, share] = WIDTHS[kind];
  return { id, label, template, kind, width, share, hasDate: true };
}

const TIMES = ["occurred_at", "received_at", "expires_at"];

/** What a template's cells are: its paths say it. */
export function kindOf(template: string): Kind {
  const paths = parseTemplate(template).flatMap((piece) => ("paths" in piece ? piece.paths : []));
  const all = (test: (path: string) => boolean) => paths.length > 0 && paths.every(test);
  const only = onlyPath(template) ?? "";
  if (TIMES.includes(only)) return "time";
  if (only === "context.ip") return "address";
  if (only === "action_type") return "type";
  if (only === "security") return "security";
  if (only === "result") return "result";
  if (paths.includes("description") && all((path) => ["description", "action", "action_type"].includes(path))) return "activity";
  if (all((path) => path.startsWith("actor.")) && paths.some((path) => ["actor.name", "actor.email", "actor.id"].includes(path))) return "person";
  if (paths[0]?.startsWith("targets.") && paths[0] !== "targets.type" && all((path) => path.startsWith("targets.") || path === "product" || path === "area")) return "target";
  return "text";
}
