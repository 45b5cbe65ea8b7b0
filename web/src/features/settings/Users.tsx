import { useState } from "react";
import { rightsBy, type User } from "../../api/administration";
import type { Policy } from "../../api/contract";
import { initials } from "../../event/words";
import { useScreen } from "../../screen";
import { Avatar } from "../../ui/marks";
import { Ready } from "../../ui/Ready";
import { Secret } from "../../ui/Secret";
import { Part } from "./Part";
import { called, mayWords } from "./people";
import { useAdministration, useSetting } from "./useAdministration";
import { InviteDialog, UserDialog } from "./UserDialog";
import { say } from "./words";

type Open = { kind: "none" } | { kind: "inviting" } | { kind: "changing"; user: User } | { kind: "link"; user: User; link: string };

const CLOSED: Open = { kind: "none" };

/** The organization's people. */
export function Users() {
  const administration = useAdministration();
  const { policy } = useScreen();
  const users = useSetting("users", (signal) => administration.users(signal));
  const [open, setOpen] = useState<Open>(CLOSED);
  const close = () => setOpen(CLOSED);
  const done = (user: User, link: string | null) => {
    void users.again();
    setOpen(link === null ? CLOSED : { kind: "link", user, link });
  };
  const invite = (
    <button type="button" className="button primary" onClick={() => setOpen({ kind: "inviting" })}>
      {say("invite")}
    </button>
  );
  return (
    <Part title={say("users")} about={say("users_about")} action={invite}>
      <Ready of={users}>{(all) => (all.length === 0 ? <p className="muted">{say("no_users")}</p> : <List users={all} policy={policy} onChange={(user) => setOpen({ kind: "changing", user })} />)}</Ready>
      {open.kind === "inviting" && <InviteDialog onClose={close} onDone={done} />}
      {open.kind === "changing" && <UserDialog user={open.user} onClose={close} onDone={done} />}
      {open.kind === "link" && <Secret title={say("link_title", { name: called(open.user) })} about={say("link_about")} secrets={[{ label: say("link"), value: open.link }]} onClose={close} />}
    </Part>
  );
}

function List({ users, policy, onChange }: { users: User[]; policy: Policy; onChange: (user: User) => void }) {
  return (
    <table className="records">
      <thead>
        <tr>
          <th scope="col">{say("name")}</th>
          <th scope="col">{say("role")}</th>
          <th scope="col">{say("may")}</th>
          <th scope="col">{say("state")}</th>
          <th scope="col">
            <span className="unseen">{say("change")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <tr key={user.id}>
            <th scope="row">
              <span className="who">
                <Avatar letters={initials(called(user))} isMachine={false} />
                <span className="lines">
                  <bdi className="line">{called(user)}</bdi>
                  {user.name !== null && <bdi className="line muted">{user.email}</bdi>}
                </span>
              </span>
            </th>
            <td data-name={say("role")}>
              <span className="lines">
                <bdi>{user.role}</bdi>
                {user.permissions.length > 0 && <bdi className="muted">{user.permissions.join(", ")}</bdi>}
              </span>
            </td>
            <td data-name={say("may")} className="muted">
              {mayWords(rightsBy(policy, user.role, user.permissions))}
            </td>
            <td data-name={say("state")}>
              <span className="badge plain" data-state={user.state}>
                {say(`state_${user.state}`)}
              </span>
            </td>
            <td className="row-end">
              <button type="button" className="button small" aria-label={say("change_whom", { name: called(user) })} onClick={() => onChange(user)}>
                {say("change")}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
