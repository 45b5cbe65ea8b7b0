import { useState, type FormEvent } from "react";
import { createClient, type Credentials } from "../../api/client";
import { Problem } from "../../api/problem";
import { Mark } from "../../ui/icons";
import { credentials } from "./session";

type Attempt = { kind: "idle" } | { kind: "trying" } | { kind: "refused"; reason: string };

/** Asks for an organization and a key and hands them on once the server has accepted them. */
export function SignIn({ onSession }: { onSession: (session: Credentials) => void }) {
  const [attempt, setAttempt] = useState<Attempt>({ kind: "idle" });

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const typed = (name: string) => String(form.get(name) ?? "");
    const session = credentials(typed("organization"), typed("key"), typed("project"));
    if (session === null) return setAttempt({ kind: "refused", reason: "Both an organization and a key are needed." });
    setAttempt({ kind: "trying" });
    const reason = await refusal(session);
    if (reason === null) onSession(session);
    else setAttempt({ kind: "refused", reason });
  }

  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <div className="brand">
          <Mark /> <h1 className="brand">Trailbook</h1>
        </div>
        <p className="muted">Read an organization’s events with the root key or an API key.</p>
        <label className="field">
          Organization
          <input className="input" name="organization" required autoFocus autoComplete="organization" spellCheck={false} />
        </label>
        <label className="field">
          Key
          <input className="input mono" name="key" type="password" required autoComplete="off" spellCheck={false} />
        </label>
        <label className="field">
          Project (only when it is not the default one)
          <input className="input" name="project" autoComplete="off" spellCheck={false} />
        </label>
        {attempt.kind === "refused" && (
          <p className="notice" role="alert">
            {attempt.reason}
          </p>
        )}
        <button className="button primary" disabled={attempt.kind === "trying"}>
          {attempt.kind === "trying" ? "Looking…" : "Show activity"}
        </button>
        <p className="muted">The key stays in this browser tab and is forgotten when the tab is closed.</p>
      </form>
    </main>
  );
}

/** Why the server does not let this session read, or null. An organization without events is one that can be read. */
async function refusal(session: Credentials): Promise<string | null> {
  try {
    await createClient(session).events({ limit: 1 });
    return null;
  } catch (problem) {
    if (!(problem instanceof Problem)) return "The answer cannot be read.";
    if (problem.status === 401) return "The server does not know this key.";
    if (problem.status === 403) return "This key may not read the events of that organization.";
    return problem.status === 404 ? null : problem.message;
  }
}
