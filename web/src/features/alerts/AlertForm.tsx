import { useState } from "react";
import type { Alert, Condition } from "../../api/alerts";
import type { Versioned } from "../../api/versioned";
import { useLabels } from "../../event/labels";
import { useScreen } from "../../screen";
import { Area, Choice, Field, Form, Tickbox, type Typed } from "../../ui/Form";
import { writeHeaders } from "../../ui/lines";
import { Link } from "../../ui/Link";
import { Secret } from "../../ui/Secret";
import { SecretField } from "../../ui/SecretField";
import { QueryField } from "../query/QueryField";
import { GROUPS, KINDS, NEW_FIELDS, PERIODS, QUIET, readAlert, spans, spanWords, USUAL, WINDOWS, type Kind } from "./condition";
import { pathTo, useAlerts } from "./useAlerts";
import { say } from "./words";

/** An alert as it is set up: a new one with a query, or one to be changed. */
export function AlertForm({ of, query }: { of: Versioned<Alert> | null; query: string }) {
  const { alerts, again, goTo } = useAlerts();
  const alert = of?.value ?? null;
  const [kind, setKind] = useState<Kind>(alert?.condition.type ?? "any");
  const [hasWebhook, setWebhook] = useState(alert !== null && alert.webhook !== null);
  const [isRemoved, setRemoved] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const isSet = alert?.secrets.includes("secret") ?? false;
  async function save(typed: Typed) {
    const body = readAlert(typed, hasWebhook, isSet && (isRemoved || !hasWebhook));
    const saved = of === null ? await alerts.create(body) : await alerts.change(of.value.id, body, of.version);
    await again();
    // A secret that the server has made is told now or never.
    if (typeof saved.secret === "string") setSecret(saved.secret);
    else goTo(null);
  }
  return (
    <main className="page delivery">
      <p className="back">
        <Link to={pathTo(null)}>{say("title")}</Link>
      </p>
      <div className="title">
        <h1>{alert === null ? say("new") : <bdi>{alert.name}</bdi>}</h1>
      </div>
      <Form button={say(alert === null ? "create" : "save")} sending={say("saving")} onSend={save}>
        <Field label={say("name")} name="name" required autoComplete="off" defaultValue={alert?.name} />
        <fieldset className="group">
          <legend>{say("when")}</legend>
          <QueryField label={say("filter")} name="filter" first={query} />
          <Choice label={say("condition")} name="condition/type" value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value as Kind)} options={KINDS.map((each) => [each, say(`condition_${each}`)])} />
          <ConditionFields kind={kind} set={alert?.condition ?? null} />
          {kind !== "digest" && <Quiet set={alert?.quiet_seconds ?? USUAL.quiet_seconds} />}
        </fieldset>
        <fieldset className="group">
          <legend>{say("whom")}</legend>
          <Emails set={alert?.emails ?? null} />
          <Tickbox label={say("has_webhook")} name="has_webhook" checked={hasWebhook} onChange={({ currentTarget }) => setWebhook(currentTarget.checked)} />
          {hasWebhook && (
            <>
              <Field label={say("url")} name="webhook/url" type="url" required autoComplete="off" defaultValue={alert?.webhook?.url} />
              <Area label={say("headers")} name="webhook/headers" rows={2} className="input area mono" defaultValue={writeHeaders(alert?.webhook?.headers ?? {})} hint={say("headers_hint")} />
              <SecretField label={say("secret")} name="secrets/secret" isSet={isSet} isOptional isMade isRemoved={isRemoved} onRemove={() => setRemoved(!isRemoved)} hint={say("secret_hint")} />
            </>
          )}
        </fieldset>
        <Tickbox label={say("enabled")} name="enabled" defaultChecked={alert?.enabled ?? true} />
      </Form>
      {secret !== null && <Secret title={say("secret_made")} about={say("secret_about")} secrets={[{ label: say("secret"), value: secret }]} onClose={() => goTo(null)} />}
    </main>
  );
}

/** What a kind of condition has to be told. */
function ConditionFields({ kind, set }: { kind: Kind; set: Condition | null }) {
  const labels = useLabels();
  switch (kind) {
    case "threshold": {
      const { count, window_seconds, by } = set?.type === "threshold" ? set : { ...USUAL, by: null };
      return (
        <div className="beside">
          <Field label={say("count")} name="condition/count" type="number" min={2} required defaultValue={count} />
          <Choice label={say("window")} name="condition/window_seconds" defaultValue={String(window_seconds)} options={spans(WINDOWS, window_seconds).map((each) => [String(each), spanWords(each)])} />
          <Choice label={say("by")} name="condition/by" defaultValue={by ?? ""} options={GROUPS.map((each) => [each, each === "" ? say("by_all") : labels.field(each)])} />
        </div>
      );
    }
    case "first_seen": {
      const field = set?.type === "first_seen" ? set.field : NEW_FIELDS[0];
      return <Choice label={say("field")} name="condition/field" defaultValue={field} options={[...new Set([...NEW_FIELDS, field])].map((each) => [each, labels.field(each)])} hint={say("field_hint")} />;
    }
    case "digest":
      return <Choice label={say("every")} name="condition/every" defaultValue={set?.type === "digest" ? set.every : "day"} options={PERIODS.map((each) => [each, say(`every_${each}`)])} hint={say("digest_about")} />;
    case "any":
      return null;
  }
}

function Quiet({ set }: { set: number }) {
  return <Choice label={say("quiet")} name="quiet_seconds" defaultValue={String(set)} options={spans(QUIET, set).map((each) => [String(each), each === 0 ? say("quiet_none") : spanWords(each)])} hint={say("quiet_hint")} />;
}

/** Addresses; of who is signed in, the own one to begin with. */
function Emails({ set }: { set: string[] | null }) {
  const { access } = useScreen();
  const own = access.kind === "session" ? [access.email] : [];
  return <Area label={say("emails")} name="emails" rows={3} defaultValue={(set ?? own).join("\n")} hint={say("emails_hint")} />;
}
