// Calls for streams: events that are delivered to somewhere else as they are stored.
import { organizationPath, type Transport } from "./client";
import type { Schemas } from "./contract";
import { versioned, type Versioned } from "./versioned";

export const DESTINATION_TYPES = ["s3", "gcs", "azure_blob", "webhook", "splunk_hec", "datadog", "elasticsearch", "otlp", "syslog"] as const satisfies readonly Schemas["Destination"]["type"][];
export type DestinationType = (typeof DESTINATION_TYPES)[number];

/** Which members there are depends on the type: `features/streams/destinations.ts` has them. */
export type Destination = { type: DestinationType } & Record<string, unknown>;

/** Secrets that are absent stay as they are; null removes one. `start` is only of a new stream. */
export type StreamRequest = Omit<Required<Schemas["StreamRequest"]>, "destination" | "start"> & { destination: Destination; start?: string };
export type StreamHealth = Schemas["StreamHealth"];
/** Events up to `next` are delivered, of `size`. */
export type StreamPosition = Schemas["StreamPosition"];
export type Stream = Omit<Schemas["Stream"], "destination"> & { destination: Destination };
/** With a signing secret that the server has made, which is told once. */
export type StreamMade = Stream & Pick<Schemas["StreamMade"], "secret">;
/** An event that its destination has refused. */
export type ParkedRecord = Schemas["ParkedEvent"];
export type ParkedRetried = Schemas["ParkedRetried"];
export type TestResult = Schemas["StreamTested"];

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
    create: (body: StreamRequest) => json<StreamMade>(all, { method: "POST", body }),
    /** Replaces it, if it is still the version that was read; else rejects with 412. */
    change: (id: string, body: StreamRequest, version: string) => json<Stream>(one(id), { method: "PUT", headers: { "If-Match": version }, body }),
    remove: async (id: string) => void (await ask(one(id), { method: "DELETE" })),
    /** Sends one made-up event. */
    test: (id: string) => does<TestResult>(id, "test"),
    pause: (id: string) => does(id, "pause"),
    resume: (id: string) => does(id, "resume"),
    replay: (id: string, from: Replay) => does(id, "replay", from),
    parked: (id: string, signal?: AbortSignal) => json<{ parked: ParkedRecord[]; total: number }>(`${one(id)}/parked`, { signal }),
    retryParked: (id: string) => does<ParkedRetried>(id, "parked/retry"),
    dropParked: async (id: string) => void (await ask(`${one(id)}/parked`, { method: "DELETE" })),
  };
}
