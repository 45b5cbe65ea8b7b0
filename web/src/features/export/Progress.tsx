import { printRoute } from "../../route";
import { useScreen } from "../../screen";
import { Link } from "../../ui/Link";
import { wordsOf } from "../../ui/words";
import { sizeWords } from "./size";
import type { Run } from "./useExport";
import en from "./words.en.json";

const say = wordsOf({ en });

type Of<K extends Run["kind"]> = Extract<Run, { kind: K }>;

/** How far an export is; `all` is how many rows it will have, where that is known. */
export function Running({ run, rows: all, onStop, onGoOn }: { run: Of<"running">; rows: number | null; onStop: () => void; onGoOn: () => void }) {
  const done = run.share !== null ? { value: run.share } : run.rows !== null && all !== null ? { value: run.rows, max: Math.max(1, all) } : {};
  return (
    <>
      <progress aria-label={say("progress")} {...done} />
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

/** That a link will come, and whereto. */
export function Mailed({ onClose }: { onClose: () => void }) {
  const { access } = useScreen();
  return (
    <>
      <p role="status">{access.kind === "session" && say.nodes("mailed", { email: <bdi>{access.email}</bdi> })}</p>
      <End onClose={onClose} />
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
      <End onAgain={run.kind === "failed" ? onAgain : null} onClose={onClose} />
    </>
  );
}

function End({ onAgain = null, onClose }: { onAgain?: (() => void) | null; onClose: () => void }) {
  const { mode } = useScreen();
  return (
    <div className="export-end">
      {mode === "console" && (
        <Link to={printRoute({ screen: "exports" })} className="export-all">
          {say("all_yours")}
        </Link>
      )}
      {onAgain !== null && (
        <button type="button" className="button" onClick={onAgain}>
          {say("again")}
        </button>
      )}
      <button type="button" className="button primary" onClick={onClose}>
        {say("close")}
      </button>
    </div>
  );
}

/** Where an export is, in one sentence. */
export function runWords(run: Exclude<Run, { kind: "none" | "mailed" }>, all: number | null): string {
  switch (run.kind) {
    case "running":
      if (run.rows === null) return say("running_bytes", { bytes: sizeWords(run.bytes) });
      return all === null ? say("running", { count: run.rows }) : say("running_of", { done: run.rows, count: all });
    case "done":
      if (run.rows === null) return say("done_bytes", { name: run.name ?? "", bytes: sizeWords(run.bytes) });
      return run.name === null ? say("done_job", { count: run.rows }) : say("done", { count: run.rows, name: run.name });
    case "failed":
      return say("failed", { reason: run.reason ?? say(run.as) });
  }
}
