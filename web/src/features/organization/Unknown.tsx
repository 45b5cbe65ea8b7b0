import type { KeyAccess } from "../../api/client";
import type { Screen } from "../../screen";
import { clip } from "../../event/words";
import { CopyButton } from "../../ui/CopyButton";
import { Mark } from "../../ui/icons";
import { wordsOf } from "../../ui/words";
import { firstEventCommand } from "./first-event";
import en from "./unknown.en.json";

const say = wordsOf({ en });

interface Props {
  access: KeyAccess;
  isLooking: boolean;
  organizations: Screen["organizations"];
  onRetry: () => void;
  onLeave: () => Promise<void>;
}

/** What is shown in place of a ledger that does not exist: how to begin it, or how to name another one. */
export default function Unknown({ access, isLooking, organizations, onRetry, onLeave }: Props) {
  const shown = firstEventCommand(location.origin, access, { variable: "TRAILBOOK_KEY" });
  return (
    <main className="unknown">
      <section aria-labelledby="unknown">
        <div className="brand">
          <Mark /> Trailbook
        </div>
        <h1 id="unknown">{say.nodes("title", { organization: <bdi>{clip(access.organization, 100)}</bdi> })}</h1>
        <p className="muted">{say("remedy")}</p>
        <div className="command">
          <pre className="mono" tabIndex={0}>
            {shown}
          </pre>
          <CopyButton text={() => firstEventCommand(location.origin, access, { value: access.key })} label={say("copy_command")} words={say("copy")} />
        </div>
        <p className="muted">{say("copy_fills")}</p>
        <div className="choices">
          <button type="button" className="button primary" disabled={isLooking} onClick={onRetry}>
            {say(isLooking ? "looking" : "look_again")}
          </button>
          <button type="button" className="button" onClick={() => (organizations?.isElsewhere === true ? organizations.choose(null) : void onLeave())}>
            {say("another")}
          </button>
        </div>
      </section>
    </main>
  );
}
