// What the server says and accepts, in the screen's words. The shapes are those of the server's OpenAPI document (`npm run types`
// makes openapi.d.ts of it); here stands what the document leaves open: which texts there are, and what may be missing.
import type { components } from "./openapi";

export type Schemas = components["schemas"];

/** A shape as the server sends it: with every member, null where there is nothing. The document requires only what is never null. */
export type Answer<T> = T extends readonly (infer Each)[] ? Answer<Each>[] : T extends object ? { [Member in keyof T]-?: Answer<T[Member]> } : T;

/** A shape of which some members, which it must have, are known better. */
export type With<T, Better extends { [Member in keyof Better]: Member extends keyof T ? unknown : never }> = Omit<T, keyof Better> & Better;

/** Any JSON value. Integers are safe: the server refuses those that a double cannot hold. */
export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

export type Result = "success" | "failure" | "denied";
export type Right = keyof Schemas["RightsHere"];
export type Interval = "hour" | "day" | "week" | "month";
export type PresetName = Schemas["Preset"];

/** The names of the five parts of an event, in their order: part 1 is `core`. */
export const PART_NAMES = ["core", "actor", "targets", "context", "details"] as const;
export type PartName = (typeof PART_NAMES)[number];

/** What was sent without a type has the default one. */
export type Actor = With<Answer<Schemas["Actor"]>, { type: string }>;
export type Target = Answer<Schemas["Target"]>;
export type Context = Answer<Schemas["Context"]>;
/** An absent `before` or `after` means that it did not exist; null is a value. */
export type Change = With<Schemas["Change"], { before?: Json; after?: Json }>;

/** An event as returned: the envelope and the parts, with the defaults of what was not sent. The members of a part named in `redacted` are missing or null. */
export type Event = With<
  Answer<Schemas["Event"]>,
  {
    redacted: PartName[];
    occurred_at: string;
    action_type: string;
    security: boolean;
    result: Result;
    actor: Actor | null;
    changes: Change[] | null;
    metadata: Json;
  }
>;

/** The resolved range and the ledger's size that a filtered read speaks of. */
export type Scope = Answer<Schemas["Spoken"]>;
export type Page = With<Answer<Schemas["Page"]>, { events: Event[] }>;
export type Count = Answer<Schemas["Count"]>;
export type FacetValue = Answer<Schemas["FacetValue"]>;
export type Facets = Answer<Schemas["Facets"]>;
export type Bucket = Answer<Schemas["Bucket"]>;
export type Histogram = Answer<Schemas["Histogram"]>;
export type Trace = With<Answer<Schemas["Trace"]>, { events: Event[] }>;

/** A metric of an aggregation: an operation, or an expression over the ones before it. */
export type Metric = With<Schemas["MetricRequest"], { op?: "count" | "sum" | "avg" | "min" | "max" | "p50" | "p95" | "p99" | "distinct" }>;
export type Aggregation = With<Schemas["AggregateRequest"], { from?: string | undefined; to?: string | undefined; interval?: Interval; metrics: Metric[] }>;
/** `start` is absent where nothing was asked by interval. */
type Row = With<Schemas["Row"], { group: Record<string, Json>; start?: string; metrics: Record<string, number | null> }>;
export type Aggregate = With<Answer<Schemas["Aggregate"]>, { rows: Row[] }>;

export type ColumnSetting = Answer<Schemas["ColumnSetting"]>;
export type LabelSettings = Answer<Schemas["LabelSettings"]>;
export type FilterSetting = Answer<Schemas["FilterSetting"]>;
/** A question with a name; `aggregate` is the body of an aggregation without its range. */
export type QuerySetting = With<Answer<Schemas["NamedQuery"]>, { aggregate: Omit<Aggregation, "from" | "to"> }>;
export type CatalogAction = Answer<Schemas["ActionWords"]>;
/** What applies to an organization and to who asks, with the words of its catalog. */
export type Policy = With<Answer<Schemas["Applies"]>, { queries: QuerySetting[]; unknown_actions: "accept" | "mark" | "refuse" }>;

/** Who is signed in, by the session's cookie. */
export type SignedIn = With<Answer<Schemas["SignedIn"]>, { rights: Right[] }>;

/** A part of an event in a proof; binary fields are base64. A redacted part has only its commitment. */
export type ProofPart = { name: PartName; bytes: string; salt: string } | { name: PartName; commitment: string };
export type Proof = With<Answer<Schemas["Inclusion"]>, { parts: ProofPart[] }>;
export type CheckpointKey = Answer<Schemas["CheckpointKey"]>;
export type Consistency = Answer<Schemas["Consistency"]>;

/** What every filtered read of the viewer sends. The query language can say all that other parameters say; the document has parameters, and no shape of them. */
export interface Filters {
  q?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** An RFC 9457 problem; whole where the server itself answered. */
export type ProblemBody = Partial<Schemas["Problem"]>;
