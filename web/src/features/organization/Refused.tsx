import type { Access } from "../../api/client";
import type { Problem } from "../../api/problem";
import { clip } from "../../event/words";
import { Card } from "../sign-in/Card";
import { SignOutButton } from "../sign-in/SignOutButton";

interface Props {
  access: Access;
  problem: Problem | null;
  isLooking: boolean;
  onRetry: () => void;
  onLeave: () => Promise<void>;
}

/** What is shown in place of a log that is not shown: why, in the server's words. */
export function Refused({ access, problem, isLooking, onRetry, onLeave }: Props) {
  const isRefused = problem?.status === 403 || problem?.status === 404;
  return (
    <Card title={isRefused ? "You cannot see this log" : "The log cannot be shown"}>
      <p className="reason" role="alert">
        {problem?.message ?? "The answer cannot be read."}
      </p>
      <p className="muted reason">
        Organization <bdi>{clip(access.organization, 100)}</bdi>
        {access.kind === "session" && (
          <>
            , signed in as <bdi>{clip(access.person, 100)}</bdi>
          </>
        )}
      </p>
      <div className="choices">
        <button type="button" className="button" disabled={isLooking} onClick={onRetry}>
          {isLooking ? "Looking…" : "Look again"}
        </button>
        <SignOutButton className="button" onLeave={onLeave} />
      </div>
    </Card>
  );
}
