// Calls to the server for one organization. The only place that knows paths and headers.
import type { Aggregate, Aggregation, CheckpointKey, Consistency, Count, Event, Facets, Filters, Histogram, Interval, Page, Policy, Proof, Trace } from "./contract";
import { events as eventsOfStream } from "./sse";
import { Problem } from "./problem";

interface Place {
  organization: string;
  /** Null leaves it to the key, or to the server's default. */
  project: string | null;
}

/** By the root key or an API key, or by a viewer token. */
export interface KeyAccess extends Place {
  kind: "key" | "token";
  key: string;
}

/** By the session's cookie, which the browser sends by itself. */
export interface SessionAccess extends Place {
  kind: "session";
  /** What the person who is signed in is called. */
  person: string;
  email: string;
  /** Whether it is an operator, who works for the whole deployment. */
  isOperator: boolean;
}

/** Whose ledger is read, and by what. */
export type Access = KeyAccess | SessionAccess;

/** Whether `access` may be to all organizations: an operator's, or the root key's. The server decides. */
export function isOfDeployment(access: Access): boolean {
  return access.kind === "session" ? access.isOperator : access.kind === "key" && !access.key.startsWith("tb_key_");
}

type Parameters = Record<string, string | number | readonly string[] | undefined>;

export type Client = ReturnType<typeof createClient>;

interface Options {
  /** Where the server is; empty is the page's own origin. */
  server?: string;
  /** Hears when the server does not take the access (any more). */
  onEnd?: () => void;
  send?: typeof fetch;
}

/** What a call needs beside its path. */
export interface Asked {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  parameters?: Parameters;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: object | undefined;
  signal?: AbortSignal | undefined;
}

/** Asks the server for a path (`/v1/…`) by somebody's access. Rejects with a [Problem], or with the signal's reason when aborted. */
export type Transport = (path: string, asked?: Asked) => Promise<Response>;

function createTransport(access: Access, { server = "", onEnd = () => undefined, send = (...call) => fetch(...call) }: Options): Transport {
  // No page of another origin can send the console's header with a cookie, and the server asks for it.
  const own: Record<string, string> = access.kind === "session" ? { "Trailbook-Console": "1" } : { Authorization: `Bearer ${access.key}` };
  if (access.project !== null) own["Trailbook-Project"] = access.project;

  return async (path, { method = "GET", parameters = {}, headers = {}, body, signal } = {}) => {
    let response: Response;
    try {
      response = await send(server + path + search(parameters), {
        ...(method === "GET" ? {} : { method }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        headers: { ...own, ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
        signal: signal ?? null,
        cache: "no-store",
        credentials: access.kind === "session" ? "same-origin" : "omit",
      });
    } catch (reason) {
      if (signal?.aborted) throw reason;
      throw Problem.unreachable();
    }
    if (response.status === 401) onEnd();
    if (!response.ok) throw await Problem.of(response);
    return response;
  };
}

/** Where the calls of one organization begin. */
export function organizationPath(organization: string): string {
  return `/v1/organizations/${encodeURIComponent(organization)}`;
}

/** A client for `access`. Every method rejects with a [Problem], or with the signal's reason when aborted. */
export function createClient(access: Access, options: Options = {}) {
  const transport = createTransport(access, options);
  const base = organizationPath(access.organization);
  const call = (path: string, parameters: Parameters, signal?: AbortSignal, headers: Record<string, string> = {}, body?: object) =>
    transport(base + path, { method: body === undefined ? "GET" : "POST", parameters, headers, body, signal });

  const serverAddress = () => new URL(options.server || "/", document.baseURI).href.replace(/\/$/, "");

  async function json<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T> {
    return (await call(path, parameters, signal)).json() as Promise<T>;
  }

  return {
    /** For calls that only a part of the screen makes; they stand in modules of their own. */
    transport,
    /** Where the server is, as others can be told. */
    serverAddress,
    eventAddress: (id: string) => `${serverAddress()}${base}/events/${encodeURIComponent(id)}`,
    aggregate: async (asked: Aggregation, signal?: AbortSignal) => (await call("/events/aggregate", {}, signal, {}, asked)).json() as Promise<Aggregate>,
    events: (filters: Filters & { order?: "asc" | "desc"; limit?: number; cursor?: string | undefined }, signal?: AbortSignal) =>
      json<Page>("/events", { ...filters }, signal),
    event: (id: string, signal?: AbortSignal) => json<Event>(`/events/${encodeURIComponent(id)}`, {}, signal),
    count: (filters: Filters, signal?: AbortSignal) => json<Count>("/events/count", { ...filters }, signal),
    facets: (filters: Filters & { field: readonly string[]; prefix?: string | undefined; limit: number }, signal?: AbortSignal) =>
      json<Facets>("/events/facets", { ...filters }, signal),
    histogram: (filters: Filters & { interval: Interval; time_zone: string }, signal?: AbortSignal) =>
      json<Histogram>("/events/histogram", { ...filters }, signal),
    trace: (id: string, signal?: AbortSignal) => json<Trace>(`/traces/${encodeURIComponent(id)}`, {}, signal),
    proof: (id: string, signal?: AbortSignal) => json<Proof>(`/events/${encodeURIComponent(id)}/proof`, {}, signal),
    /** The ledger's newest checkpoint, a signed note. */
    checkpoint: async (signal?: AbortSignal) => (await call("/checkpoint", {}, signal)).text(),
    consistency: (from: number, to: number, signal?: AbortSignal) => json<Consistency>("/consistency", { from, to }, signal),
    checkpointKey: (signal?: AbortSignal) => json<CheckpointKey>("/checkpoint-key", {}, signal),

    policy: (signal?: AbortSignal) => json<Policy>("/policy", {}, signal),

    /** Events in commit order as they are stored; ends when the server closes the stream. */
    async *live(filters: Filters, after: string | null, signal: AbortSignal, opened: () => void) {
      const resume: Record<string, string> = { Accept: "text/event-stream" };
      if (after !== null) resume["Last-Event-ID"] = after;
      const response = await call("/events/live", { ...filters }, signal, resume);
      opened();
      if (response.body !== null) yield* eventsOfStream<Event>(response.body);
    },
  };
}

/** A query string of what is set, with its question mark. */
function search(parameters: Parameters): string {
  const set = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (Array.isArray(value)) value.forEach((each) => set.append(name, each));
    else if (value !== undefined && value !== "") set.set(name, String(value));
  }
  const text = set.toString();
  return text === "" ? "" : `?${text}`;
}
