import { useState } from "react";
import { SCOPES, type Key, type Scope } from "../../api/administration";
import { isOfDeployment } from "../../api/client";
import { useScreen } from "../../screen";
import { Dialog } from "../../ui/Dialog";
import { Choice, Field, Form, Tickbox, type Typed } from "../../ui/Form";
import { longDate } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { Confirm } from "../../ui/Confirm";
import { Ready } from "../../ui/Ready";
import { Secret } from "../../ui/Secret";
import { Part } from "./Part";
import { useAdministration, useSetting } from "./useAdministration";
import { say } from "./words";

type Open = { kind: "none" } | { kind: "making" } | { kind: "made"; secret: string } | { kind: "revoking"; key: Key };

/** Characters of a key’s id that tell it from the others. */
const ID_SHOWN = 12;
const CLOSED: Open = { kind: "none" };

/** Keys of programs. */
export function Keys() {
  const administration = useAdministration();
  const keys = useSetting("keys", (signal) => administration.keys(signal));
  const [open, setOpen] = useState<Open>(CLOSED);
  const close = () => setOpen(CLOSED);
  const make = (
    <button type="button" className="button primary" onClick={() => setOpen({ kind: "making" })}>
      {say("make_key")}
    </button>
  );
  const made = (secret: string) => {
    void keys.again();
    setOpen({ kind: "made", secret });
  };
  const revoke = async ({ id }: Key) => {
    await administration.revokeKey(id);
    await keys.again();
  };
  return (
    <Part title={say("keys")} about={say("keys_about")} action={make}>
      <Ready of={keys}>{(all) => (all.length === 0 ? <p className="muted">{say("no_keys")}</p> : <List keys={all} onRevoke={(key) => setOpen({ kind: "revoking", key })} />)}</Ready>
      {open.kind === "making" && <KeyDialog onClose={close} onMade={made} />}
      {open.kind === "made" && <Secret title={say("key_made")} about={say("secret_about")} secrets={[{ label: say("key"), value: open.secret }]} onClose={close} />}
      {open.kind === "revoking" && (
        <Confirm title={say.nodes("revoke_whom", { name: <bdi>{open.key.name}</bdi> })} button={say("revoke_key")} onConfirm={() => revoke(open.key)} onClose={close}>
          {say("revoke_key_what")}
        </Confirm>
      )}
    </Part>
  );
}

function List({ keys, onRevoke }: { keys: Key[]; onRevoke: (key: Key) => void }) {
  const zone = useZone();
  const day = (instant: string | null) => (instant === null ? say("never") : longDate(instant, zone));
  return (
    <table className="records">
      <thead>
        <tr>
          {(["name", "scopes", "works_for", "last_used", "expires"] as const).map((name) => (
            <th key={name} scope="col">
              {say(name)}
            </th>
          ))}
          <th scope="col">
            <span className="unseen">{say("revoke")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => (
          <tr key={key.id}>
            <th scope="row">
              <span className="lines">
                <bdi>{key.name}</bdi>
                <span className="mono muted" title={key.id}>
                  {key.id.slice(0, ID_SHOWN)}…
                </span>
              </span>
            </th>
            <td data-name={say("scopes")}>{key.scopes.join(", ")}</td>
            <td data-name={say("works_for")}>{key.organization === null ? say("whole_project") : <bdi>{key.organization}</bdi>}</td>
            <td data-name={say("last_used")}>{day(key.last_used_at)}</td>
            <td data-name={say("expires")}>{day(key.expires_at)}</td>
            <td className="row-end">
              <button type="button" className="button small" aria-label={say("revoke_name", { name: key.name })} onClick={() => onRevoke(key)}>
                {say("revoke")}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function KeyDialog({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const administration = useAdministration();
  const { access } = useScreen();
  const zone = useZone();
  async function make(typed: Typed) {
    const day = typed("expires_at");
    const { key } = await administration.makeKey({
      name: typed("name") ?? "",
      scopes: SCOPES.filter((scope) => typed(`scope ${scope}`) !== undefined),
      organization: typed("organization") === "all" ? null : access.organization,
      expires_at: day === undefined ? null : zone.startOf(day).toISOString(),
    });
    onMade(key);
  }
  return (
    <Dialog title={say("make_key")} onClose={onClose}>
      <Form button={say("make_key")} sending={say("making")} onSend={make}>
        <Field label={say("key_name")} name="name" required autoComplete="off" hint={say("key_name_hint")} />
        <fieldset className="field ticks">
          <legend>{say("scopes")}</legend>
          {SCOPES.filter((scope) => scope !== "events:write" || access.kind === "key" || isOfDeployment(access)).map((scope: Scope) => (
            <Tickbox key={scope} name={`scope ${scope}`} label={say.nodes("scope", { scope: <span className="mono">{scope}</span>, words: say(`scope_${scope}`) })} />
          ))}
        </fieldset>
        {access.kind === "key" || isOfDeployment(access) ? (
          <Choice
            label={say("works_for")}
            name="organization"
            options={[
              ["one", access.organization],
              ["all", say("whole_project")],
            ]}
          />
        ) : null}
        <Field label={say("expires_on")} name="expires_at" type="date" hint={say("expires_hint")} />
      </Form>
    </Dialog>
  );
}
