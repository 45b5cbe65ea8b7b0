// Calls for alerts: queries that tell somebody when events match, and digests.
import { organizationPath, type Transport } from "./client";
import type { Answer, Schemas, With } from "./contract";
import { versioned, type Versioned } from "./versioned";

export type Condition = Answer<Schemas["AlertCondition"]>;
/** Where an alert is told by webhook, without its secrets. */
export type Webhook = Required<Schemas["AlertWebhook"]>;
/** Secrets that are absent stay as they are; null removes one. */
export type AlertRequest = With<Required<Schemas["AlertRequest"]>, { condition: Condition; webhook: Webhook | null }>;
export type Alert = With<Schemas["Alert"], { condition: Condition; webhook: Webhook | null }>;
/** With a signing secret that the server has made, which is told once. */
export type AlertMade = Alert & Pick<Schemas["AlertMade"], "secret">;
export type AlertTested = Schemas["AlertTested"];

export type Alerts = ReturnType<typeof createAlerts>;

/** The alerts of an organization. Every method rejects as the transport does. */
export function createAlerts(ask: Transport, organization: string) {
  const all = `${organizationPath(organization)}/alerts`;
  const one = (id: string) => `${all}/${encodeURIComponent(id)}`;
  const json = async <T>(path: string, asked: Parameters<Transport>[1] = {}): Promise<T> => (await (await ask(path, asked)).json()) as T;
  return {
    list: async (signal?: AbortSignal) => (await json<{ alerts: Alert[] }>(all, { signal })).alerts,
    get: async (id: string, signal?: AbortSignal): Promise<Versioned<Alert>> => versioned(await ask(one(id), { signal })),
    create: (body: AlertRequest) => json<AlertMade>(all, { method: "POST", body }),
    /** Replaces it, if it is still the version that was read; else rejects with 412. */
    change: (id: string, body: AlertRequest, version: string) => json<AlertMade>(one(id), { method: "PUT", headers: { "If-Match": version }, body }),
    remove: async (id: string) => void (await ask(one(id), { method: "DELETE" })),
    test: (id: string) => json<AlertTested>(`${one(id)}/test`, { method: "POST", body: {} }),
  };
}
