import type { KeyAccess } from "../../api/client";
import { CopyButton } from "../../ui/CopyButton";
import { Mark } from "../../ui/icons";
import { clip } from "../../event/words";
import { firstEventCommand } from "./first-event";

interface Props {
  access: KeyAccess;
  isLooking: boolean;
  onRetry: () => void;
  onLeave: () => Promise<void>;
}

/** What is shown in place of a ledger that does not exist: how to begin it, or how to name another one. */
export function Unknown({ access, isLooking, onRetry, onLeave }: Props) {
  const shown = firstEventCommand(location.origin, access, { variable: "TRAILBOOK_KEY" });
  return (
    <main className="unknown">
      <section aria-labelledby="unknown">
        <div className="brand">
          <Mark /> Trailbook
        </div>
        <h1 id="unknown">
          There is no organization called “<bdi>{clip(access.organization, 100)}</bdi>” yet
        </h1>
        <p className="muted">Or this key may not see it. Check the spelling, or send its first event, which creates it:</p>
        <div className="command">
          <pre className="mono" tabIndex={0}>
            {shown}
          </pre>
          <CopyButton text={() => firstEventCommand(location.origin, access, { value: access.key })} label="Copy the command with the key filled in" words="Copy" />
        </div>
        <p className="muted">Copying fills in the key that you gave.</p>
        <div className="choices">
          <button type="button" className="button primary" disabled={isLooking} onClick={onRetry}>
            {isLooking ? "Looking…" : "Look again"}
          </button>
          <button type="button" className="button" onClick={() => void onLeave()}>
            Another organization
          </button>
        </div>
      </section>
    </main>
  );
}
