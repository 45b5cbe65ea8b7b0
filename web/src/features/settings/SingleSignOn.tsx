import { useState } from "react";
import type { Provider } from "../../api/administration";
import { Problem } from "../../api/problem";
import { CopyButton } from "../../ui/CopyButton";
import { Area, Field, Form, type Typed } from "../../ui/Form";
import { Confirm } from "../../ui/Confirm";
import { Ready } from "../../ui/Ready";
import { Part } from "./Part";
import { canWriteBack, readRoles, writeRoles } from "./roles";
import { useAdministration, useSetting } from "./useAdministration";
import { say } from "./words";

/** The organization's identity provider. */
export function SingleSignOn() {
  const administration = useAdministration();
  // Kept here: with other settings the form begins anew.
  const [isSaved, setSaved] = useState(false);
  const provider = useSetting("single-sign-on", async (signal): Promise<{ set: Provider | null }> => {
    try {
      return { set: await administration.provider(signal) };
    } catch (problem) {
      // That there is none is an answer too.
      if (problem instanceof Problem && problem.status === 404) return { set: null };
      throw problem;
    }
  });
  return (
    <Part title={say("single-sign-on")} about={say("sso_about")}>
      <Ready of={provider}>{({ set }) => <ProviderForm key={JSON.stringify(set)} set={set} again={provider.again} isSaved={isSaved} onSaved={setSaved} />}</Ready>
    </Part>
  );
}

interface FormProps {
  set: Provider | null;
  again: () => Promise<void>;
  isSaved: boolean;
  onSaved: (isSaved: boolean) => void;
}

function ProviderForm({ set, again, isSaved, onSaved }: FormProps) {
  const administration = useAdministration();
  const [isRemoving, setRemoving] = useState(false);
  async function save(typed: Typed) {
    onSaved(false);
    await administration.setProvider({
      issuer: typed("issuer") ?? "",
      client_id: typed("client_id") ?? "",
      client_secret: typed("client_secret"),
      groups_claim: typed("groups_claim") ?? "groups",
      roles: readRoles(typed("roles")),
      default_role: typed("default_role") ?? null,
    });
    onSaved(true);
    await again();
  }
  const remove = async () => {
    onSaved(false);
    await administration.removeProvider();
    await again();
  };
  const removing = set !== null && (
    <button type="button" className="button danger" onClick={() => setRemoving(true)}>
      {say("sso_remove")}
    </button>
  );
  const isKept = set === null || canWriteBack(set.roles);
  return (
    <>
      {!isKept && (
        <p className="notice" role="alert">
          {say("sso_command")}
        </p>
      )}
      <Form button={say("save")} sending={say("saving")} isIdle={!isKept} onSend={save} others={removing}>
        {set !== null && (
          <div className="field">
            <span className="field-name">{say("callback_url")}</span>
            <span className="secret">
              <bdi className="mono">{set.callback_url}</bdi>
              <CopyButton text={() => set.callback_url} label={say("copy", { what: say("callback_url") })} />
            </span>
          </div>
        )}
        <Field label={say("issuer")} name="issuer" required defaultValue={set?.issuer} hint={say("issuer_hint")} />
        <Field label={say("client_id")} name="client_id" required defaultValue={set?.client_id} autoComplete="off" />
        <Field label={say("client_secret")} name="client_secret" type="password" className="input mono" autoComplete="new-password" hint={say(set === null ? "client_secret_hint" : "client_secret_stays")} />
        <Field label={say("groups_claim")} name="groups_claim" defaultValue={set?.groups_claim ?? "groups"} hint={say("groups_claim_hint")} />
        <Area label={say("group_roles")} name="roles" rows={4} defaultValue={writeRoles(set?.roles ?? {})} hint={say("group_roles_hint")} />
        <Field label={say("default_role")} name="default_role" defaultValue={set?.default_role ?? ""} hint={say("default_role_hint")} />
        <p role="status" className="saved">
          {isSaved && say("saved")}
        </p>
      </Form>
      {isRemoving && (
        <Confirm title={say("sso_remove_title")} button={say("sso_remove")} onConfirm={remove} onClose={() => setRemoving(false)}>
          {say("sso_remove_what")}
        </Confirm>
      )}
    </>
  );
}
