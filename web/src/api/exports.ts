// Calls for exports: files that the server makes by itself, and keeps for a day for whoever asked for them.
import { organizationPath, type Transport } from "./client";

// By hand, until the document has them: what follows is to be replaced by its schemas.

export type ExportFormat = "csv" | "jsonl" | "parquet" | "evidence";

/** What is asked for. Members that a format has no use for are refused, and so are left out. */
export interface ExportRequest {
  format: ExportFormat;
  /** `all` is everything that is kept, whatever the rest says. */
  scope: "all" | "filtered";
  from?: string;
  to?: string;
  filter?: string;
  columns?: string[];
  time_zone?: string;
  labels?: boolean;
  email?: boolean;
}

export interface Export {
  id: string;
  state: "queued" | "running" | "ready" | "failed" | "expired" | "cancelled";
  format: ExportFormat;
  scope: "all" | "filtered";
  from: string | null;
  to: string | null;
  filter: string;
  columns: string[] | null;
  time_zone: string | null;
  labels: boolean;
  email: boolean;
  /** From 0 to 1. */
  progress: number;
  rows: number;
  bytes: number;
  created_at: string;
  finished_at: string | null;
  expires_at: string | null;
  /** A link that needs nothing else, while it lasts; null while there is no file. */
  download_url: string | null;
  error: string | null;
  requested_by: { id: string; name: string | null };
  warnings: { code: string; detail: string }[];
}

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
