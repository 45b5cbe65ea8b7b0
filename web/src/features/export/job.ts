// An export that the server makes by itself: how it is followed until it has ended, and when it is asked after.
//
// Invariants
// - The longer an export takes, the seldomer the server is asked, and never sooner than PAUSE_MS_MIN after the last time.
import type { Export, ExportRequest, Exports } from "../../api/exports";
import { Problem } from "../../api/problem";

const PAUSE_MS_MIN = 400;
const PAUSE_MS_MAX = 10_000;
/** The part of an export's age that passes before it is asked after again. */
const PAUSE_SHARE = 0.2;

/** Whether the server still works on it. */
export function isUnderWay({ state }: Pick<Export, "state">): boolean {
  return state === "queued" || state === "running";
}

/** How long to wait before an export of this age is asked after again. */
function pauseMs(age_ms: number): number {
  return Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, age_ms * PAUSE_SHARE));
}

/** The same for several exports, of which the youngest that is under way decides; null when none is. */
export function pauseMsOf(exports: readonly Pick<Export, "state" | "created_at">[], now: number): number | null {
  const ages = exports.filter(isUnderWay).map(({ created_at }) => now - Date.parse(created_at));
  return ages.length === 0 ? null : pauseMs(Math.min(...ages));
}

/** Exports that were under way before, and have a file now. */
export function becameReady(before: readonly Export[], now: readonly Export[]): Export[] {
  const waited = new Set(before.filter(isUnderWay).map(({ id }) => id));
  return now.filter(({ id, state }) => state === "ready" && waited.has(id));
}

interface Following {
  exports: Exports;
  signal: AbortSignal;
  /** Hears how far it is. */
  tell: (job: Export) => void;
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Asks for an export and follows it to its end. Who gives it up by the signal has it cancelled; a server that cannot be reached for a
 * while goes on with it, and is asked again.
 */
export async function follow(request: ExportRequest, { exports, signal, tell, wait }: Following): Promise<Export> {
  let job = await exports.request(request);
  const begun = Date.now();
  while (!signal.aborted && isUnderWay(job)) {
    tell(job);
    // By this page's own clock: the server's may be another.
    await wait(pauseMs(Date.now() - begun), signal);
    if (signal.aborted) break;
    job = await exports.get(job.id, signal).catch((problem: unknown) => {
      if (signal.aborted || (problem instanceof Problem && problem.passing)) return job;
      throw problem;
    });
  }
  if (signal.aborted && isUnderWay(job)) await exports.remove(job.id).catch(() => undefined);
  return job;
}
