// Calls for exports: files that the server makes by itself, and keeps for a day for whoever asked for them.
import { organizationPath, type Transport } from "./client";
import type { Schemas } from "./contract";

export type ExportFormat = Schemas["ExportFormat"];
/** What is asked for. Members that a format has no use for are refused, and so are left out. */
export type ExportRequest = Schemas["ExportBody"];
export type Export = Schemas["Export"];

export type Exports = ReturnType<typeof createExports>;

/** The exports of an organization that whoever asks has asked for. Every method rejects as the transport does. */
export function createExports(ask: Transport, organization: string) {
  const all = `${organizationPath(organization)}/exports`;
  const one = (id: string) => `${all}/${encodeURIComponent(id)}`;
  const made = async (response: Promise<Response>) => (await (await response).json()) as Export;
  return {
    /** The newest first. */
    list: async (signal?: AbortSignal) => ((await (await ask(all, { signal })).json()) as { exports: Export[] }).exports,
    get: (id: string, signal?: AbortSignal) => made(ask(one(id), { signal })),
    request: (body: ExportRequest) => made(ask(all, { method: "POST", body })),
    /** Cancels it, or drops its file. */
    remove: async (id: string) => void (await ask(one(id), { method: "DELETE" })),
  };
}

/** Where a file is by its link, on the server that the page came from: the link may name it as others reach it. */
export function downloadPath(link: string): string {
  const { pathname, search } = new URL(link, "http://server");
  return pathname + search;
}
