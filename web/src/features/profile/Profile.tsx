import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { createAuth } from "../../api/auth";
import type { Right, SignedIn } from "../../api/contract";
import { useScreen } from "../../screen";
import { Field, Form, type Typed } from "../../ui/Form";
import { fullTime } from "../../ui/time";
import { useTitle } from "../../ui/useTitle";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import en from "./words.en.json";
import "../../styles/profile.css";

const say = wordsOf({ en });
const RIGHTS: readonly Right[] = ["view", "export", "administer"];

const auth = createAuth();

/** Who looks and what they may do here; people change their password. */
export default function Profile() {
  const { access, policy } = useScreen();
  useTitle(say("profile"));
  return (
    <main className="page profile">
      <h1>{say("profile")}</h1>
      {access.kind === "session" ? <Person /> : <Facts facts={[[say("looking_by"), say(access.kind)]]} />}
      <section aria-label={say("may_here")}>
        <h2>{say.nodes("may_in", { organization: <bdi>{access.organization}</bdi> })}</h2>
        <ul className="rights">
          {RIGHTS.map((right) => (
            <li key={right} data-may={policy.rights[right]}>
              <span className="badge plain" data-state={policy.rights[right] ? "active" : "none"}>
                {say(policy.rights[right] ? "yes" : "no")}
              </span>
              {say(right)}
            </li>
          ))}
        </ul>
        {!policy.rights.administer && policy.administer_roles.length > 0 && <p className="muted">{say.nodes("ask", { who: <bdi>{policy.administer_roles.join(", ")}</bdi> })}</p>}
      </section>
      {access.kind === "session" && <Password />}
    </main>
  );
}

function Person() {
  const zone = useZone();
  const signedIn = useQuery({ queryKey: ["signed-in"], queryFn: () => auth.session() });
  if (signedIn.error !== null) return <p className="notice" role="alert">{signedIn.error.message}</p>;
  if (signedIn.data === undefined || signedIn.data === null) return <p className="muted" role="status">{say("loading")}</p>;
  return <Facts facts={factsOf(signedIn.data, fullTime(signedIn.data.expires_at, zone))} />;
}

function factsOf({ name, email, organization, role, permissions }: SignedIn, until: string): [string, string][] {
  return [
    [say("name"), name ?? "—"],
    [say("email"), email],
    [say("organization"), organization],
    [say("role"), role],
    [say("permissions"), permissions.join(", ") || "—"],
    [say("signed_in_until"), until],
  ];
}

function Facts({ facts }: { facts: [string, string][] }) {
  return (
    <dl className="profile-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Password() {
  const [changes, setChanges] = useState(0);
  async function change(typed: Typed) {
    await auth.changePassword({ current: typed("current") ?? "", new: typed("new") ?? "" });
    setChanges((count) => count + 1);
  }
  return (
    <section aria-label={say("password")}>
      <h2>{say("password")}</h2>
      <p className="muted">{say("password_about")}</p>
      {/* A new form after each change: nothing of what was typed stays. */}
      <Form key={changes} button={say("change_password")} sending={say("changing")} onSend={change}>
        <Field label={say("current")} name="current" type="password" required autoComplete="current-password" />
        <Field label={say("new")} name="new" type="password" required autoComplete="new-password" hint={say("new_hint")} />
      </Form>
      <p role="status" className="saved">
        {changes > 0 && say("changed")}
      </p>
    </section>
  );
}
