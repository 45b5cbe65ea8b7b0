import type { List } from "./useActivity";

interface Props {
  list: Exclude<List, { kind: "ready" }>;
  /** Whether a query or range leaves events out. */
  isNarrowed: boolean;
  onEverything: () => void;
  onRetry: () => void;
}

/** What stands in the list's place while there is none. */
export function ListState({ list, isNarrowed, onEverything, onRetry }: Props) {
  if (list.kind === "loading") {
    return (
      <div className="state" role="status">
        Loading events…
      </div>
    );
  }
  if (list.kind === "failed") {
    return (
      <div className="state" role="alert">
        <strong>The events cannot be shown.</strong>
        <p>{list.problem.message}</p>
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      </div>
    );
  }
  if (list.kind === "faulty") {
    return (
      <div className="state">
        <strong>No events are shown until the search is corrected.</strong>
        <button type="button" className="button" onClick={onEverything}>
          Show everything
        </button>
      </div>
    );
  }
  if (list.of === "ledger") {
    return (
      <div className="state">
        <strong>No events yet.</strong>
        <p>The first event that is sent for this organization appears here.</p>
      </div>
    );
  }
  return (
    <div className="state">
      <strong>No event matches.</strong>
      {isNarrowed && (
        <button type="button" className="button" onClick={onEverything}>
          Show everything
        </button>
      )}
    </div>
  );
}
