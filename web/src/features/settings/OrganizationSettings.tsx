import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { OrganizationSetup } from "../../api/administration";
import { Problem } from "../../api/problem";
import type { Versioned } from "../../api/versioned";
import { useScreen } from "../../screen";
import { Form } from "../../ui/Form";
import { Ready } from "../../ui/Ready";
import { Part } from "./Part";
import { PolicyField } from "./PolicyField";
import { daysWords, Pending } from "./Pending";
import { applied, carried, differences, GROUPS, isUndecided, retentionChoices, waitsOtherwise, type Draft } from "./policy";
import { useAdministration, useSetting } from "./useAdministration";
import { say } from "./words";

type Setup = Versioned<OrganizationSetup>;

/** The organization's policy. */
export function OrganizationSettings() {
  const administration = useAdministration();
  const { access } = useScreen();
  const setup = useSetting("organization", (signal) => administration.organization(signal));
  return (
    <Part title={say("organization")} about={say.nodes("organization_about", { organization: <bdi>{access.organization}</bdi> })}>
      <Ready of={setup}>{(first) => <Policy first={first} />}</Ready>
    </Part>
  );
}

/** The form. What is typed stays when somebody else has meanwhile changed what it began with. */
function Policy({ first }: { first: Setup }) {
  const administration = useAdministration();
  const queries = useQueryClient();
  const { policy: inForce } = useScreen();
  const [base, setBase] = useState(first);
  const [draft, setDraft] = useState<Draft>({});
  const [newer, setNewer] = useState<Setup | null>(null);
  const [isSaved, setSaved] = useState(false);
  const { policy, pending_retention: pending } = base.value;

  const change = (name: string, written: string | null) => {
    setSaved(false);
    setDraft((now) => ({ ...now, [name]: written }));
  };
  const adopt = (next: Setup, kept: Draft) => {
    setBase(next);
    setDraft(kept);
    setNewer(null);
  };
  async function save() {
    try {
      adopt(await administration.setPolicy(applied(policy, draft), base.version), {});
    } catch (failure) {
      if (!(failure instanceof Problem) || failure.status !== 412) throw failure;
      setNewer(await administration.organization());
      return;
    }
    setSaved(true);
    await Promise.all([queries.invalidateQueries({ queryKey: ["policy"] }), queries.invalidateQueries({ queryKey: ["settings", "organization"] })]);
  }

  const isChanged = Object.keys(draft).length > 0;
  // Whoever changes anything else has to say which retention is meant.
  const isOpen = isUndecided(base.value, draft);
  const discard = (
    <button type="button" className="button" onClick={() => setDraft({})}>
      {say("discard")}
    </button>
  );
  return (
    <Form button={say("save")} sending={say("saving")} isIdle={!isChanged || isOpen || newer !== null} onSend={save} others={isChanged && discard}>
      {GROUPS.map((group) => (
        <fieldset key={group.name} className="group">
          <legend>{say(`group_${group.name}` as "group_keeping")}</legend>
          <div className="group-panel">
          {group.fields.map((field) =>
            field.name === "retention_days" && pending !== null ? (
              <Pending key={field.name} setup={base.value} written={draft[field.name]} onWritten={(written) => change(field.name, written)} />
            ) : (
              <PolicyField key={field.name} field={field} policy={policy} inForce={inForce} written={draft[field.name]} onWritten={(written) => change(field.name, written)} />
            ),
          )}
          </div>
        </fieldset>
      ))}
      {isOpen && <p className="notice calm">{say("undecided")}</p>}
      {newer !== null && <Newer before={base.value} now={newer.value} mine={draft} onMine={() => adopt(newer, carried(draft, base.value, newer.value))} onTheirs={() => adopt(newer, {})} />}
      <p role="status" className="saved">
        {isSaved && say("saved")}
      </p>
    </Form>
  );
}

/** Somebody else was faster: what they changed, and what to do about it. */
function Newer({ before, now, mine, onMine, onTheirs }: { before: OrganizationSetup; now: OrganizationSetup; mine: Draft; onMine: () => void; onTheirs: () => void }) {
  const fields = differences(before, now);
  const waiting = retentionChoices(now);
  const name = (field: string) => say(field as "title");
  const both = fields.filter((field) => field in mine);
  return (
    <div className="notice" role="alert">
      <p>{say("newer")}</p>
      {fields.length > 0 && <p>{say("newer_fields", { fields: fields.map(name).join(", ") })}</p>}
      {both.length > 0 && <p>{say("newer_both", { fields: both.map(name).join(", ") })}</p>}
      {waitsOtherwise(before, now) && <p>{waiting === null ? say("newer_not_pending") : say("newer_pending", { days: daysWords(waiting.stands) })}</p>}
      <div className="form-end">
        <button type="button" className="button" onClick={onMine}>
          {say("keep_mine")}
        </button>
        <button type="button" className="button" onClick={onTheirs}>
          {say("take_theirs")}
        </button>
      </div>
    </div>
  );
}
