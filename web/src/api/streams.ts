// Calls for streams: events that are delivered to somewhere else as they are stored.
import { organizationPath, type Transport } from "./client";
import { versioned, type Versioned } from "./versioned";

// By hand, until the document has them: what follows is to be replaced by its schemas.

export const DESTINATION_TYPES = ["s3", "gcs", "azure_blob", "webhook", "splunk_hec", "datadog", "elasticsearch", "otlp", "syslog"] as const;
export type DestinationType = (typeof DESTINATION_TYPES)[number];

/** Which members there are depends on the type: `features/streams/destinations.ts` has them. */
export type Destination = { type: DestinationType } & Record<string, unknown>;

export interface StreamRequest {
  name: string;
  destination: Destination;
  /** Those that are absent stay as they are; null removes one. */
  secrets: Record<string, string | null>;
  /** `native`, `ocsf`, `ecs`, or `catalog:` and the name of a mapping. */
  mapping: string;
  filter: string;
  /** `now`, `beginning` or an instant; only of a new stream. */
  start?: string;
  batch_events: number;
  interval_seconds: number;
}

export interface StreamHealth {
  last_success_at: string | null;
  delivered: number;
  lag_events: number;
  /** The age of the oldest event that is not delivered. */
  lag_seconds: number;
  parked: number;
  /** Events that were removed by retention before they could be delivered. */
  expired: number;
  last_error: string | null;
  failing_since: string | null;
  failures: number;
  retry_at: string | null;
}

/** Events up to `next` are delivered, of `size`. */
export interface StreamPosition {
  organization: string;
  epoch: number;
  next: number;
  size: number;
}

export interface Stream extends Omit<StreamRequest, "secrets" | "start"> {
  id: string;
  /** Null where it is of the whole project. */
  organization: string | null;
  /** Names of those that are set. */
  secrets: string[];
  state: "active" | "paused" | "failing";
  created_at: string;
  updated_at: string;
  health: StreamHealth;
  positions: StreamPosition[];
}

/** An event that its destination has refused. */
export interface ParkedRecord {
  organization: string;
  sequence: number;
  /** The event's id. */
  event: string;
  reason: string;
  parked_at: string;
}

export interface TestResult {
  delivered: boolean;
  detail: string;
  took_ms: number;
}

/** Of a project's stream, the organization is said as well. */
export type Replay = ({ from_sequence: number } | { from: string }) & { organization?: string };

export type Streams = ReturnType<typeof createStreams>;

/** The streams of an organization, or of the whole project for null. Every method rejects as the transport does. */
export function createStreams(ask: Transport, organization: string | null) {
  const all = `${organization === null ? "/v1" : organizationPath(organization)}/streams`;
  const one = (id: string) => `${all}/${encodeURIComponent(id)}`;
  const json = async <T>(path: string, asked: Parameters<Transport>[1] = {}): Promise<T> => (await (await ask(path, asked)).json()) as T;
  const does = <T = Stream>(id: string, deed: string, body: object = {}) => json<T>(`${one(id)}/${deed}`, { method: "POST", body });
  return {
    list: async (signal?: AbortSignal) => (await json<{ streams: Stream[] }>(all, { signal })).streams,
    get: async (id: string, signal?: AbortSignal): Promise<Versioned<Stream>> => versioned(await ask(one(id), { signal })),
    /** A signing secret that the server has made is told once. */
    create: (body: StreamRequest) => json<Stream & { secret?: string | null }>(all, { method: "POST", body }),
    /** Replaces it, if it is still the version that was read; else rejects with 412. */
    change: (id: string, body: StreamRequest, version: string) => json<Stream & { secret?: string | null }>(one(id), { method: "PUT", headers: { "If-Match": version }, body }),
    remove: async (id: string) => void (await ask(one(id), { method: "DELETE" })),
    /** Sends one made-up event. */
    test: (id: string) => does<TestResult>(id, "test"),
    pause: (id: string) => does(id, "pause"),
    resume: (id: string) => does(id, "resume"),
    replay: (id: string, from: Replay) => does(id, "replay", from),
    parked: (id: string, signal?: AbortSignal) => json<{ parked: ParkedRecord[]; total: number }>(`${one(id)}/parked`, { signal }),
    retryParked: (id: string) => does<{ delivered: number; parked: number }>(id, "parked/retry"),
    dropParked: async (id: string) => void (await ask(`${one(id)}/parked`, { method: "DELETE" })),
  };
}
