// Calls for saved views: a query, a range and columns under a name.
import { organizationPath, type Transport } from "./client";
import type { Schemas } from "./contract";

export type View = Schemas["View"];
export type NewView = Required<Schemas["ViewRequest"]>;

export type Views = ReturnType<typeof createViews>;

/** The views of an organization. Every method rejects as the transport does. */
export function createViews(ask: Transport, organization: string) {
  const all = `${organizationPath(organization)}/views`;
  const one = (id: string) => `${all}/${encodeURIComponent(id)}`;
  const view = async (response: Promise<Response>) => (await (await response).json()) as View;
  return {
    /** The caller's own and all shared ones, by name. */
    list: async (signal?: AbortSignal) => ((await (await ask(all, { signal })).json()) as Schemas["Views"]).views,
    /** Opening one is recorded. */
    open: (id: string, signal?: AbortSignal) => view(ask(one(id), { signal })),
    save: (body: NewView) => view(ask(all, { method: "POST", body })),
    replace: (id: string, body: NewView) => view(ask(one(id), { method: "PUT", body })),
    remove: async (id: string) => void (await ask(one(id), { method: "DELETE" })),
  };
}
