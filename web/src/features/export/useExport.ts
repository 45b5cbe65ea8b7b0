import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { organizationPath } from "../../api/client";
import { createExports, downloadPath, type Export } from "../../api/exports";
import { Problem } from "../../api/problem";
import { useScreen } from "../../screen";
import { refusal } from "../../ui/attempt";
import { download, fileName, takeFile } from "../../ui/download";
import { pause } from "../../ui/pause";
import { useZone } from "../../ui/useZone";
import { extensionOf, jobOf, requestOf, type OnScreen, type Wish } from "./file";
import { follow } from "./job";
import { receive, type Progress } from "./receive";

export type Run =
  | { kind: "none" }
  /** `share` is how much of it is done, from 0 to 1; null where only rows tell. */
  | ({ kind: "running"; share: number | null } & Progress)
  /** `name` is that of the file in the reader's downloads, null where the browser took it from the server; `warning` is what the server says of what is not in it. */
  | ({ kind: "done"; name: string | null; warning: string | null } & Progress)
  /** The server goes on, and sends a link. */
  | { kind: "mailed" }
  /** By the server's sentence, or by how the export ended. */
  | { kind: "failed"; reason: string | null; as: "broken" | "expired" };

const NO_FIELDS: ReadonlySet<string> = new Set();
/** How often progress is told. */
const TELL_MS = 100;

/** One export at a time; it goes on while its reader does something else. In the console the server makes it, and keeps it; elsewhere it comes as it is read. */
export function useExport(): { run: Run; start: (wish: Wish, shown: OnScreen) => void; cancel: () => void; forget: () => void } {
  const { client, access, policy, mode } = useScreen();
  const queries = useQueryClient();
  const zone = useZone();
  const [run, setRun] = useState<Run>({ kind: "none" });
  const stop = useRef<AbortController | null>(null);

  async function streamed(wish: Wish, shown: OnScreen, { signal }: AbortController): Promise<Run> {
    const { path, parameters } = requestOf(wish, shown, policy);
    const response = await client.transport(organizationPath(access.organization) + path, { parameters, signal });
    let told = 0;
    const { file, progress } = await receive(response, wish.format, (now) => {
      if (signal.aborted || performance.now() - told < TELL_MS) return;
      told = performance.now();
      setRun({ kind: "running", share: null, ...now });
    });
    const name = fileName(["trailbook", access.organization, zone.dayOf(new Date())], extensionOf(wish.format));
    download(file, name);
    const [, warning = null] = /^[a-z_]+: (.*)$/s.exec(response.headers.get("trailbook-warning") ?? "") ?? [];
    return { kind: "done", name, warning, ...progress };
  }

  async function made(wish: Wish, shown: OnScreen, { signal }: AbortController): Promise<Run> {
    const exports = createExports(client.transport, access.organization);
    const listed = () => queries.invalidateQueries({ queryKey: ["exports"] });
    if (wish.isMailed) {
      await exports.request(jobOf(wish, shown, policy));
      void listed();
      return { kind: "mailed" };
    }
    const tell = ({ progress, rows, bytes }: Export) => !signal.aborted && setRun({ kind: "running", share: progress, rows, bytes });
    const job = await follow(jobOf(wish, shown, policy), { exports, signal, tell, wait: pause });
    void listed();
    if (signal.aborted || job.state !== "ready" || job.download_url === null) return { kind: "failed", reason: job.error, as: job.state === "expired" ? job.state : "broken" };
    takeFile(client.serverAddress() + downloadPath(job.download_url));
    return { kind: "done", name: null, warning: job.warnings.map(({ detail }) => detail).join(" ") || null, rows: job.rows, bytes: job.bytes };
  }

  const start = (wish: Wish, shown: OnScreen) => {
    const mine = new AbortController();
    stop.current = mine;
    setRun({ kind: "running", share: null, rows: 0, bytes: 0 });
    (mode === "console" ? made : streamed)(wish, shown, mine)
      .catch((problem: unknown): Run => ({ kind: "failed", reason: problem instanceof Problem ? refusal(problem, NO_FIELDS).reason : null, as: "broken" }))
      .then((end) => !mine.signal.aborted && setRun(end));
  };
  const cancel = () => {
    stop.current?.abort();
    setRun({ kind: "none" });
  };
  return { run, start, cancel, forget: () => setRun({ kind: "none" }) };
}
