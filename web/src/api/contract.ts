// What the server says and accepts, as the HTTP contract has it. Written by hand for now; once the server's OpenAPI file is a
// golden file this module is generated from it, and nothing else in the viewer changes.

/** Any JSON value. Integers are safe: the server refuses those that a double cannot hold. */
export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

export type Result = "success" | "failure" | "denied";

export interface Actor {
  type: string;
  id: string | null;
  name: string | null;
  email: string | null;
  team: string | null;
}

export interface Target {
  type: string;
  id: string | null;
  name: string | null;
  email: string | null;
}

export interface Context {
  ip: string | null;
  user_agent: string | null;
  url: string | null;
  referrer: string | null;
}

/** An absent `before` or `after` means that it did not exist; null is a value. */
export interface Change {
  field: string;
  before?: Json;
  after?: Json;
}

/** The names of the five parts of an event, in their order: part 1 is `core`. */
export const PART_NAMES = ["core", "actor", "targets", "context", "details"] as const;
export type PartName = (typeof PART_NAMES)[number];

/** An event as returned: the envelope and the parts. The members of a part named in `redacted` are missing or null. */
export interface Event {
  id: string;
  project: string;
  sequence: number;
  epoch: number;
  received_at: string;
  expires_at: string | null;
  country: string | null;
  redacted: PartName[];

  organization: string;
  occurred_at: string;
  action: string;
  action_type: string;
  area: string | null;
  product: string | null;
  description: string | null;
  security: boolean;
  result: Result;
  trace_id: string | null;
  client_id: string | null;

  actor: Actor | null;
  targets: Target[] | null;
  context: Context | null;
  changes: Change[] | null;
  message: string | null;
  metadata: Json;
}

/** The resolved range and the ledger's size that a filtered read speaks of. */
export interface Scope {
  range: { from: string | null; to: string | null };
  size: number;
  warnings?: { code: string; detail: string }[];
}

export interface Page extends Scope {
  events: Event[];
  next: string | null;
}

export interface Count extends Scope {
  count: number;
}

export interface FacetValue {
  value: string;
  label: string | null;
  count: number;
}

export interface Facets extends Scope {
  facets: Record<string, FacetValue[]>;
}

export type Interval = "hour" | "day" | "week" | "month";

export interface Bucket {
  start: string;
  count: number;
  security: number;
}

export interface Histogram extends Scope {
  buckets: Bucket[];
}

/** A column of the list, or a line of the panel of one event. */
export interface ColumnSetting {
  id: string;
  label: string;
  /** A template over the event. */
  value: string;
}

/** The product's words; what has none has the built-in one. */
export interface LabelSettings {
  /** By event path. */
  fields: Record<string, string>;
  /** By event path and value. */
  values: Record<string, Record<string, string>>;
  screen: Record<string, string>;
}

/** A filter that the screen offers. */
export interface FilterSetting {
  field: string;
  label: string;
  /** Offered even where no event has them. */
  values: string[];
}

export type PresetName = "today" | "yesterday" | "last_7_days" | "last_28_days" | "last_30_days" | "last_90_days" | "custom";

/** A question with a name; `aggregate` is the body of an aggregation without its range. */
export interface QuerySetting {
  id: string;
  label: string;
  about: string | null;
  aggregate: { metrics: Metric[]; filter?: string; group_by?: string[]; interval?: Interval };
  /** The metric that is the answer. */
  show: string;
  as: "number" | "percent";
}

/** An action of the catalog. */
export interface CatalogAction {
  id: string;
  name: string;
  label: string;
  area: string | null;
  action_type: string;
  product: string | null;
  security: boolean;
  /** Why it matters for security. */
  why: string | null;
}

/** What of an organization’s policy is about the screen, with the words of its catalog. */
export interface Policy {
  /** Days; null is for ever. */
  retention_days: number | null;
  legal_hold: boolean;
  /** Days that a read without `from` covers; null is all. */
  default_range_days: number | null;
  /** The widest range of a read in calendar days; null is any. */
  max_range_days: number | null;
  /** IANA name of the zone of calendar days. */
  time_zone: string;
  /** Who may look; either suffices. */
  view_roles: string[];
  view_permissions: string[];
  /** Who of them may take files. */
  export_roles: string[];
  export_permissions: string[];
  /** Who may set things up. */
  administer_roles: string[];
  administer_permissions: string[];
  unknown_actions: "accept" | "mark" | "refuse";
  /** Whether events of type `read` are left out unless asked for. */
  hide_reads: boolean;
  /** Empty means the built-in ones. */
  columns: ColumnSetting[];
  /** Empty means the built-in ones. */
  details: ColumnSetting[];
  /** Empty means the built-in ones. */
  filters: FilterSetting[];
  /** Empty means the built-in ones. */
  presets: PresetName[];
  queries: QuerySetting[];
  labels: LabelSettings;
  /** Null means the built-in one. */
  title: string | null;
  /** Outermost first. */
  breadcrumb: string[];
  coverage_note: string | null;
  /** When recording began. */
  recorded_since: string | null;
  /** Begins with `https://`, `http://` or `mailto:`. */
  feedback_url: string | null;
  /** What the caller may do. */
  rights: Record<Right, boolean>;
  areas: { id: string; label: string; why: string | null }[];
  action_types: { id: string; label: string }[];
  actions: CatalogAction[];
}

/** A metric of an aggregation: an operation, or an expression over the ones before it. */
export interface Metric {
  name: string;
  op?: "count" | "sum" | "avg" | "min" | "max" | "p50" | "p95" | "p99" | "distinct";
  field?: string;
  filter?: string;
  in_trace_of?: string;
  expression?: string;
}

export interface Aggregation {
  from?: string | undefined;
  to?: string | undefined;
  filter?: string;
  group_by?: string[];
  interval?: Interval;
  metrics: Metric[];
}

export interface Aggregate extends Scope {
  rows: { group: Record<string, Json>; start?: string; metrics: Record<string, number | null> }[];
}

export type Right = "view" | "export" | "administer";

/** Who is signed in, by the session's cookie. */
export interface SignedIn {
  id: string;
  project: string;
  organization: string;
  email: string;
  name: string | null;
  role: string;
  permissions: string[];
  /** What role and permissions allow in the organization. */
  rights: Right[];
  /** When the session ends at the latest. */
  expires_at: string;
}

export interface Trace {
  /** Oldest first. */
  events: Event[];
  duration_ms: number;
  /** How many events each action has. */
  actions: Record<string, number>;
  /** The distinct known ones. */
  actors: Actor[];
}

/** A part of an event in a proof; binary fields are base64. A redacted part has only its commitment. */
export type ProofPart =
  | { name: PartName; bytes: string; salt: string }
  | { name: PartName; commitment: string };

export interface Proof {
  index: number;
  size: number;
  epoch: number;
  leaf: string;
  hashes: string[];
  checkpoint: string;
  parts: ProofPart[];
}

export interface CheckpointKey {
  vkey: string;
  origin: string;
  epoch: number;
  /** Entries below it are gone. */
  minimum_index: number;
}

/** That the tree of size `to` only appended to that of size `from`; hashes are base64. */
export interface Consistency {
  from: number;
  to: number;
  hashes: string[];
}

/** What every filtered read of the viewer sends. The query language can say all that other parameters say. */
export interface Filters {
  q?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** An RFC 9457 problem. */
export interface ProblemBody {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  request_id?: string;
  column?: number;
  errors?: { pointer: string; detail: string; column?: number }[];
}
