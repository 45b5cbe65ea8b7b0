import { number, wordsOf } from "../../ui/words";
import type { Run } from "./useExport";
import en from "./words.en.json";

const say = wordsOf({ en });

type Of<K extends Run["kind"]> = Extract<Run, { kind: K }>;

/** How far an export is; `all` is how many rows it will have, where that is known. */
export function Running({ run, rows: all, onStop, onGoOn }: { run: Of<"running">; rows: number | null; onStop: () => void; onGoOn: () => void }) {
  return (
    <>
      <progress aria-label={say("progress")} {...(run.rows !== null && all !== null ? { value: run.rows, max: Math.max(1, all) } : {})} />
      <p className="number">{runWords(run, all)}</p>
      <div className="export-end">
        <button type="button" className="button" onClick={onStop}>
          {say("stop")}
        </button>
        <button type="button" className="button primary" onClick={onGoOn}>
          {say("go_on")}
        </button>
      </div>
    </>
  );
}

/** How an export ended. */
export function Result({ run, onAgain, onClose }: { run: Of<"done"> | Of<"failed">; onAgain: () => void; onClose: () => void }) {
  return (
    <>
      <p className={run.kind === "failed" ? "notice" : "export-done number"} role={run.kind === "failed" ? "alert" : "status"}>
        {runWords(run, null)}
      </p>
      {run.kind === "done" && run.warning !== null && <p className="notice calm">{run.warning}</p>}
      <div className="export-end">
        {run.kind === "failed" && (
          <button type="button" className="button" onClick={onAgain}>
            {say("again")}
          </button>
        )}
        <button type="button" className="button primary" onClick={onClose}>
          {say("close")}
        </button>
      </div>
    </>
  );
}

/** Where an export is, in one sentence. */
export function runWords(run: Exclude<Run, { kind: "none" }>, all: number | null): string {
  switch (run.kind) {
    case "running":
      if (run.rows === null) return say("running_bytes", { bytes: size(run.bytes) });
      return all === null ? say("running", { count: run.rows }) : say("running_of", { done: run.rows, count: all });
    case "done":
      return run.rows === null ? say("done_bytes", { name: run.name, bytes: size(run.bytes) }) : say("done", { count: run.rows, name: run.name });
    case "failed":
      return say("failed", { reason: run.reason ?? say("broke_off") });
  }
}

const KILOBYTE = 1_000;

function size(bytes: number): string {
  const isLarge = bytes >= KILOBYTE * KILOBYTE;
  return number(bytes / (isLarge ? KILOBYTE * KILOBYTE : KILOBYTE), { style: "unit", unit: isLarge ? "megabyte" : "kilobyte", maximumFractionDigits: 1 });
}
