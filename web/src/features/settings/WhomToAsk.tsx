import { useScreen } from "../../screen";
import { Link } from "../../ui/Link";
import { say } from "./words";

/** In place of the settings, for who may not see them: which roles may. */
export function WhomToAsk() {
  const { access, policy } = useScreen();
  const who = [...policy.administer_roles, ...policy.administer_permissions];
  return (
    <main className="page settings-refused">
      <h1>{say("not_yours")}</h1>
      <p role="alert">{say.nodes("not_yours_why", { organization: <bdi>{access.organization}</bdi> })}</p>
      {who.length > 0 && (
        <p className="muted">
          {say.nodes(policy.administer_roles.length > 0 ? "ask_role" : "ask_permission", { who: <bdi>{who.join(", ")}</bdi> })}
        </p>
      )}
      <p>
        <Link to="/">{say("to_activity")}</Link>
      </p>
    </main>
  );
}
