import { useState } from "react";
import type { ViewerToken } from "../../api/administration";
import { useScreen } from "../../screen";
import { Dialog } from "../../ui/Dialog";
import { Area, Choice, Field, Form, Tickbox, type Typed } from "../../ui/Form";
import { linesOf } from "../../ui/lines";
import { usePlace } from "../../ui/place";
import { fullTime } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { Confirm } from "../../ui/Confirm";
import { Ready } from "../../ui/Ready";
import { Secret } from "../../ui/Secret";
import { Part } from "./Part";
import { rolesOf } from "./people";
import { useAdministration, useSetting } from "./useAdministration";
import { say } from "./words";

type Open = { kind: "none" } | { kind: "making" } | { kind: "made"; token: string; url: string } | { kind: "revoking"; token: ViewerToken };

const CLOSED: Open = { kind: "none" };
const HOUR_SECONDS = 3600;

/** Links and tokens for people who look inside of another product. */
export function Tokens() {
  const administration = useAdministration();
  const tokens = useSetting("tokens", (signal) => administration.tokens(signal));
  const [open, setOpen] = useState<Open>(CLOSED);
  const { link } = usePlace();
  // A server that was not told where browsers reach it answers a path.
  const absolute = (url: string) => new URL(url, link("/") ?? undefined).href;
  const close = () => setOpen(CLOSED);
  const make = (
    <button type="button" className="button primary" onClick={() => setOpen({ kind: "making" })}>
      {say("make_token")}
    </button>
  );
  const made = (token: string, url: string) => {
    void tokens.again();
    setOpen({ kind: "made", token, url });
  };
  const revoke = async ({ id }: ViewerToken) => {
    await administration.revokeToken(id);
    await tokens.again();
  };
  return (
    <Part title={say("tokens")} about={say("tokens_about")} action={make}>
      <Ready of={tokens}>{(all) => (all.length === 0 ? <p className="muted">{say("no_tokens")}</p> : <List tokens={all} onRevoke={(token) => setOpen({ kind: "revoking", token })} />)}</Ready>
      {open.kind === "making" && <TokenDialog onClose={close} onMade={made} />}
      {open.kind === "made" && (
        <Secret
          title={say("token_made")}
          about={say("token_about")}
          secrets={[
            { label: say("link"), value: absolute(open.url) },
            { label: say("token"), value: open.token },
          ]}
          onClose={close}
        />
      )}
      {open.kind === "revoking" && (
        <Confirm title={say.nodes("revoke_token_whom", { name: <bdi>{called(open.token)}</bdi> })} button={say("revoke_token")} onConfirm={() => revoke(open.token)} onClose={close}>
          {say("revoke_token_what")}
        </Confirm>
      )}
    </Part>
  );
}

function called({ actor }: ViewerToken): string {
  return actor.name ?? actor.email ?? actor.id;
}

function List({ tokens, onRevoke }: { tokens: ViewerToken[]; onRevoke: (token: ViewerToken) => void }) {
  const zone = useZone();
  return (
    <table className="records">
      <thead>
        <tr>
          {(["for_whom", "role", "shows", "over_at"] as const).map((name) => (
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
        {tokens.map((token) => (
          <tr key={token.id}>
            <th scope="row">
              <span className="lines">
                <bdi>{called(token)}</bdi>
                <bdi className="mono muted">{token.actor.id}</bdi>
              </span>
            </th>
            <td data-name={say("role")}>
              <bdi>{[token.actor.role, ...token.actor.permissions].filter(Boolean).join(", ")}</bdi>
            </td>
            <td data-name={say("shows")}>
              <span className="lines">
                {token.filter === null ? <span>{say("everything")}</span> : <bdi className="mono">{token.filter}</bdi>}
                {token.may_export && <span className="muted">{say("may_export_too")}</span>}
              </span>
            </td>
            <td data-name={say("over_at")}>{fullTime(token.expires_at, zone)}</td>
            <td className="row-end">
              <button type="button" className="button small" aria-label={say("revoke_name", { name: called(token) })} onClick={() => onRevoke(token)}>
                {say("revoke")}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function TokenDialog({ onClose, onMade }: { onClose: () => void; onMade: (token: string, url: string) => void }) {
  const administration = useAdministration();
  const { policy } = useScreen();
  async function make(typed: Typed) {
    const text = (name: string) => typed(`actor/${name}`) ?? null;
    const { token, url } = await administration.makeToken({
      actor: { id: text("id") ?? "", name: text("name"), email: text("email"), role: text("role"), permissions: linesOf(typed("actor/permissions")) },
      ttl_seconds: Number(typed("ttl_seconds")),
      filter: typed("filter") ?? null,
      may_export: typed("may_export") !== undefined,
    });
    onMade(token, url);
  }
  const hours = [1, 8, 24].map((count) => [String(count * HOUR_SECONDS), say("hours", { count })] as const);
  return (
    <Dialog title={say("make_token")} onClose={onClose}>
      <Form button={say("make_token")} sending={say("making")} onSend={make}>
        <Field label={say("actor_id")} name="actor/id" required autoComplete="off" hint={say("actor_id_hint")} />
        <Field label={say("name_optional")} name="actor/name" autoComplete="off" />
        <Field label={say("email_optional")} name="actor/email" type="email" autoComplete="off" />
        <Field label={say("role")} name="actor/role" list="token-roles" autoComplete="off" />
        <datalist id="token-roles">
          {rolesOf(policy).map((role) => (
            <option key={role} value={role} />
          ))}
        </datalist>
        <Area label={say("permissions")} name="actor/permissions" rows={2} hint={say("permissions_hint")} />
        <Field label={say("filter")} name="filter" className="input mono" autoComplete="off" hint={say("filter_hint")} />
        <Choice label={say("lasts")} name="ttl_seconds" options={hours} />
        <Tickbox name="may_export" label={say("token_may_export")} />
      </Form>
    </Dialog>
  );
}
