import { useState } from "react";
import { rightsBy, type Administration, type Deliver, type User } from "../../api/administration";
import { isOfDeployment } from "../../api/client";
import { useScreen } from "../../screen";
import { Dialog } from "../../ui/Dialog";
import { Area, Choice, Field, Form, type Typed } from "../../ui/Form";
import { Confirm } from "../../ui/Confirm";
import { linesOf } from "../../ui/lines";
import { useDeed } from "../../ui/useDeed";
import { called, mayWords, rolesOf } from "./people";
import { useAdministration } from "./useAdministration";
import { say } from "./words";

type OnDone = (user: User, link: string | null) => void;

/** Invites somebody, by mail or by a link that an operator hands over. */
export function InviteDialog({ onClose, onDone }: { onClose: () => void; onDone: OnDone }) {
  const administration = useAdministration();
  const { access } = useScreen();
  async function invite(typed: Typed) {
    const deliver = (typed("deliver") ?? "mail") as Deliver;
    const { link, ...user } = await administration.invite({ email: typed("email") ?? "", name: typed("name") ?? null, role: typed("role") ?? "", permissions: linesOf(typed("permissions")), deliver });
    onDone(user, link);
  }
  return (
    <Dialog title={say("invite")} onClose={onClose}>
      <Form button={say("invite")} sending={say("invite_sending")} onSend={invite}>
        <Field label={say("email")} name="email" type="email" required autoComplete="off" />
        <Field label={say("name_optional")} name="name" autoComplete="off" />
        <Rights />
        {isOfDeployment(access) && (
          <Choice
            label={say("deliver")}
            name="deliver"
            options={[
              ["mail", say("deliver_mail")],
              ["answer", say("deliver_answer")],
            ]}
          />
        )}
      </Form>
    </Dialog>
  );
}

/** Changes somebody: name, address, role and permissions; or ends what they have. */
export function UserDialog({ user, onClose, onDone }: { user: User; onClose: () => void; onDone: OnDone }) {
  const administration = useAdministration();
  const [isDeleting, setDeleting] = useState(false);
  const name = called(user);
  if (isDeleting) {
    const remove = async () => {
      await administration.deleteUser(user.id);
      onDone(user, null);
    };
    return (
      <Confirm title={say.nodes("delete_whom", { name: <bdi>{name}</bdi> })} button={say("delete_user")} onConfirm={remove} onClose={onClose}>
        {say.nodes("delete_what", { name: <bdi>{name}</bdi> })}
      </Confirm>
    );
  }
  return (
    <Dialog title={<bdi>{name}</bdi>} onClose={onClose}>
      <Form button={say("save")} sending={say("saving")} onSend={async (typed) => onDone(await changed(administration, user, typed), null)}>
        <Field label={say("name")} name="name" defaultValue={user.name ?? ""} autoComplete="off" />
        <Field label={say("email")} name="email" type="email" required defaultValue={user.email} autoComplete="off" {...(user.email_verified ? {} : { hint: say("unverified") })} />
        <Rights user={user} />
      </Form>
      <Deeds user={user} onDone={onDone} onDelete={() => setDeleting(true)} />
    </Dialog>
  );
}

/** Sends what was changed, and nothing else. */
async function changed(administration: Administration, user: User, typed: Typed): Promise<User> {
  const [name, email, role, permissions] = [typed("name") ?? null, typed("email") ?? "", typed("role") ?? "", linesOf(typed("permissions"))];
  const patch = { ...(name === user.name ? {} : { name }), ...(email === user.email ? {} : { email }), ...(role === user.role ? {} : { role }) };
  const patched = Object.keys(patch).length === 0 ? user : await administration.changeUser(user.id, patch);
  const same = permissions.join("\n") === user.permissions.join("\n");
  return same ? patched : administration.setPermissions(user.id, permissions);
}

/** Role and permissions, and what they come to. */
function Rights({ user }: { user?: User }) {
  const { policy } = useScreen();
  const [role, setRole] = useState(user?.role ?? "");
  const [permissions, setPermissions] = useState(user?.permissions.join("\n") ?? "");
  return (
    <>
      <Field
        label={say("role")}
        name="role"
        required
        list="settings-roles"
        autoComplete="off"
        value={role}
        onChange={(event) => setRole(event.currentTarget.value)}
        hint={say("may_come", { rights: mayWords(rightsBy(policy, role.trim(), linesOf(permissions))) })}
      />
      <datalist id="settings-roles">
        {rolesOf(policy).map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <Area label={say("permissions")} name="permissions" rows={2} value={permissions} onChange={(event) => setPermissions(event.currentTarget.value)} hint={say("permissions_hint")} />
    </>
  );
}

/** What else can be done with a user. */
function Deeds({ user, onDone, onDelete }: { user: User; onDone: OnDone; onDelete: () => void }) {
  const administration = useAdministration();
  const { access } = useScreen();
  const { run, isPending, reason } = useDeed();
  const [isSent, setSent] = useState(false);
  const deliver: Deliver = isOfDeployment(access) ? "answer" : "mail";
  const setState = (state: "active" | "deactivated") => run(async () => onDone(await administration.changeUser(user.id, { state }), null)).catch(() => undefined);
  const sendLink = () =>
    run(async () => {
      const { link } = await administration.sendLink(user.id, deliver);
      if (link === null) setSent(true);
      else onDone(user, link);
    }).catch(() => undefined);
  return (
    <div className="deeds">
      <div className="form-end">
        {user.state !== "deactivated" && (
          <button type="button" className="button small" disabled={isPending} onClick={() => void sendLink()}>
            {say(deliver === "answer" ? "show_link" : "send_link")}
          </button>
        )}
        <button type="button" className="button small" disabled={isPending} onClick={() => void setState(user.state === "deactivated" ? "active" : "deactivated")}>
          {say(user.state === "deactivated" ? "reactivate" : "deactivate")}
        </button>
        <button type="button" className="button small danger" disabled={isPending} onClick={onDelete}>
          {say("delete")}
        </button>
      </div>
      <p role="status">{isSent && say("link_sent", { email: user.email })}</p>
      {reason !== null && (
        <p className="notice" role="alert">
          {reason}
        </p>
      )}
    </div>
  );
}
