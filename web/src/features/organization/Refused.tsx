import type { Access } from "../../api/client";
import type { Problem } from "../../api/problem";
import { clip } from "../../event/words";
import { wordsOf } from "../../ui/words";
import type { Screen } from "../../screen";
import { Card } from "../sign-in/Card";
import { SignOutButton } from "../sign-in/SignOutButton";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  access: Access;
  problem: Problem | null;
  isLooking: boolean;
  organizations: Screen["organizations"];
  onRetry: () => void;
  /** Null where nobody leaves: in another product's page. */
  onLeave: (() => Promise<void>) | null;
}

/** What is shown in place of a log that is not shown: why, in the server's words. */
export function Refused({ access, problem, isLooking, organizations, onRetry, onLeave }: Props) {
  const isRefused = problem?.status === 403 || problem?.status === 404;
  return (
    <Card title={say(isRefused ? "refused" : "failed")}>
      <p className="reason" role="alert">
        {problem?.message ?? say("unreadable")}
      </p>
      <p className="muted reason">
        {say.nodes(access.kind === "session" ? "of_person" : "of", {
          organization: <bdi>{clip(access.organization, 100)}</bdi>,
          person: access.kind === "session" && <bdi>{clip(access.person, 100)}</bdi>,
        })}
      </p>
      <div className="choices">
        <button type="button" className="button" disabled={isLooking} onClick={onRetry}>
          {say(isLooking ? "looking" : "look_again")}
        </button>
        {organizations?.isElsewhere === true && (
          <button type="button" className="button" onClick={() => organizations.choose(null)}>
            {say("own_organization")}
          </button>
        )}
        {onLeave !== null && <SignOutButton className="button" onLeave={onLeave} />}
      </div>
    </Card>
  );
}
