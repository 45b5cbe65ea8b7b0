import { useId, useState } from "react";
import type { Change, Event, Json } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import { wordsOf } from "../../ui/words";
import { Coloured } from "./JsonView";
import { printJson } from "./json-text";
import en from "./words.en.json";

const say = wordsOf({ en });

const CHANGES_SHOWN_MAX = 100;
const VALUE_CHARACTERS_MAX = 2_000;

const VIEWS = ["fields", "json"] as const;

/** What was, and what is instead, field by field or as it was sent. */
export function Changes({ event }: { event: Event }) {
  const [view, setView] = useState<(typeof VIEWS)[number]>("fields");
  const id = useId();
  const changes = event.changes ?? [];
  if (event.redacted.includes("details")) return <Redacted id={id} />;
  if (changes.length === 0) return null;
  return (
    <section aria-labelledby={id} className="changes">
      <h3>
        <span id={id}>{say("changes")}</span>
        <span className="tabs" role="group" aria-label={say("views_of_changes")}>
          {VIEWS.map((each) => (
            <button key={each} type="button" className="link-button" aria-pressed={view === each} onClick={() => setView(each)}>
              {say(each)}
            </button>
          ))}
        </span>
      </h3>
      {view === "fields" ? <Diff changes={changes} /> : <Coloured text={printJson(changes as unknown as Json)} labelledBy={id} />}
    </section>
  );
}

function Redacted({ id }: { id: string }) {
  return (
    <section aria-labelledby={id} className="changes">
      <h3 id={id}>{say("changes")}</h3>
      <p className="muted redacted">{say("redacted")}</p>
    </section>
  );
}

function Diff({ changes }: { changes: Change[] }) {
  return (
    <>
      <table className="diff">
        <thead className="unseen">
          <tr>
            <th scope="col">{say("field")}</th>
            <th scope="col">{say("before")}</th>
            <th scope="col">{say("after")}</th>
          </tr>
        </thead>
        <tbody>
          {changes.slice(0, CHANGES_SHOWN_MAX).map((change, place) => (
            <Row key={place} change={change} />
          ))}
        </tbody>
      </table>
      {changes.length > CHANGES_SHOWN_MAX && <p className="muted">{say("more_in_record", { count: changes.length - CHANGES_SHOWN_MAX })}</p>}
    </>
  );
}

function kindOf(change: Change): "added" | "taken" | "changed" {
  if (change.before === undefined) return "added";
  return change.after === undefined ? "taken" : "changed";
}

function Row({ change }: { change: Change }) {
  const kind = kindOf(change);
  return (
    <tr data-kind={kind}>
      <th scope="row">
        <bdi>{clip(change.field)}</bdi>
        <small>{say(kind)}</small>
      </th>
      <Side kind="before" field={change.field} value={change.before} />
      <Side kind="after" field={change.field} value={change.after} />
    </tr>
  );
}

/** A value that did not exist is told from one that is null, and what was from what is by a sign as well as by colour. */
function Side({ kind, field, value }: { kind: "before" | "after"; field: string; value: Json | undefined }) {
  const labels = useLabels();
  if (value === undefined) {
    return (
      <td className="absent">
        <span aria-hidden="true">–</span>
        <span className="unseen">{say("not_there")}</span>
      </td>
    );
  }
  const text = typeof value === "object" ? JSON.stringify(value, null, 1) : labels.changed(field, value) || String(value);
  return (
    <td className={kind}>
      <div>
        <bdi>{clip(text, VALUE_CHARACTERS_MAX)}</bdi>
      </div>
    </td>
  );
}
