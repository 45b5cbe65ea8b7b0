import { useRef, useState } from "react";
import { organizationPath } from "../../api/client";
import { Problem } from "../../api/problem";
import { useScreen } from "../../screen";
import { download, fileName } from "../../ui/download";
import { useZone } from "../../ui/useZone";
import { extensionOf, requestOf, type OnScreen, type Wish } from "./file";
import { receive, type Progress } from "./receive";

export type Run =
  | { kind: "none" }
  | ({ kind: "running" } & Progress)
  /** `warning` is what the server says of what is not in the file. */
  | ({ kind: "done"; name: string; warning: string | null } & Progress)
  | { kind: "failed"; reason: string | null };

/** How often progress is told. */
const TELL_MS = 100;

/** One export at a time; it goes on while its reader does something else. */
export function useExport(): { run: Run; start: (wish: Wish, shown: OnScreen) => void; cancel: () => void; forget: () => void } {
  const { client, access, policy } = useScreen();
  const zone = useZone();
  const [run, setRun] = useState<Run>({ kind: "none" });
  const stop = useRef<AbortController | null>(null);

  async function take(wish: Wish, shown: OnScreen, { signal }: AbortController): Promise<Run> {
    const { path, parameters } = requestOf(wish, shown, policy);
    const response = await client.transport(organizationPath(access.organization) + path, { parameters, signal });
    let told = 0;
    const { file, progress } = await receive(response, wish.format, (now) => {
      if (signal.aborted || performance.now() - told < TELL_MS) return;
      told = performance.now();
      setRun({ kind: "running", ...now });
    });
    const name = fileName(["trailbook", access.organization, zone.dayOf(new Date())], extensionOf(wish.format));
    download(file, name);
    const [, warning = null] = /^[a-z_]+: (.*)$/s.exec(response.headers.get("trailbook-warning") ?? "") ?? [];
    return { kind: "done", name, warning, ...progress };
  }

  const start = (wish: Wish, shown: OnScreen) => {
    const mine = new AbortController();
    stop.current = mine;
    setRun({ kind: "running", rows: 0, bytes: 0 });
    take(wish, shown, mine)
      .catch((problem: unknown): Run => ({ kind: "failed", reason: problem instanceof Problem ? problem.message : null }))
      .then((end) => !mine.signal.aborted && setRun(end));
  };
  const cancel = () => {
    stop.current?.abort();
    setRun({ kind: "none" });
  };
  return { run, start, cancel, forget: () => setRun({ kind: "none" }) };
}
