// Calls for alerts: queries that tell somebody when events match, and digests.
import { organizationPath, type Transport } from "./client";
import { versioned, type Versioned } from "./versioned";

// By hand, until the document has them: what follows is to be replaced by its schemas.

export type Condition =
  | { type: "any" }
  /** So many in a window, of all or of each value of `by`. */
  | { type: "threshold"; count: number; window_seconds: number; by: "actor" | "ip" | "target" | null }
  /** A value of the field that an actor never had. */
  | { type: "first_seen"; field: string }
  | { type: "digest"; every: "day" | "week" };

export interface AlertRequest {
  name: string;
  filter: string;
  condition: Condition;
  /** No second message of the same alert and group within it. */
  quiet_seconds: number;
  emails: string[];
  webhook: { url: string; headers: Record<string, string> } | null;
  /** Those that are absent stay as they are; null removes one. */
  secrets: Record<string, string | null>;
  enabled: boolean;
}

export interface Alert extends Omit<AlertRequest, "secrets"> {
  id: string;
  organization: string;
  /** Names of those that are set. */
  secrets: string[];
  created_at: string;
  updated_at: string;
  last_fired_at: string | null;
  fired: number;
  last_error: string | null;
  /** Opens the viewer at its events. */
  link: string;
}

export type Alerts = ReturnType<typeof createAlerts>;

/** The alerts of an organization. Every method rejects as the transport does. */
export function createAlerts(ask: Transport, organization: string) {
  const all = `${organizationPath(organization)}/alerts`;
  const one = (id: string) => `${all}/${encodeURIComponent(id)}`;
  const json = async <T>(path: string, asked: Parameters<Transport>[1] = {}): Promise<T> => (await (await ask(path, asked)).json()) as T;
  return {
    list: async (signal?: AbortSignal) => (await json<{ alerts: Alert[] }>(all, { signal })).alerts,
    get: async (id: string, signal?: AbortSignal): Promise<Versioned<Alert>> => versioned(await ask(one(id), { signal })),
    /** A signing secret that the server has made is told once. */
    create: (body: AlertRequest) => json<Alert & { secret?: string | null }>(all, { method: "POST", body }),
    /** Replaces it, if it is still the version that was read; else rejects with 412. */
    change: (id: string, body: AlertRequest, version: string) => json<Alert & { secret?: string | null }>(one(id), { method: "PUT", headers: { "If-Match": version }, body }),
    remove: async (id: string) => void (await ask(one(id), { method: "DELETE" })),
    test: (id: string) => json<{ delivered: boolean; detail: string }>(`${one(id)}/test`, { method: "POST", body: {} }),
  };
}
