import type { Change, Json } from "../../api/contract";
import { clip } from "../../event/words";

const CHANGES_SHOWN_MAX = 100;
const VALUE_CHARACTERS_MAX = 2_000;

/** What was, and what is instead. A value that did not exist is told from one that is null. */
export function Changes({ changes }: { changes: Change[] }) {
  return (
    <section aria-labelledby="changes">
      <h3 id="changes">Changes</h3>
      <table className="diff">
        <thead className="unseen">
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {changes.slice(0, CHANGES_SHOWN_MAX).map((change, place) => (
            <tr key={place}>
              <th scope="row">
                <bdi>{clip(change.field)}</bdi>
              </th>
              <Side kind="before" value={change.before} />
              <Side kind="after" value={change.after} />
            </tr>
          ))}
        </tbody>
      </table>
      {changes.length > CHANGES_SHOWN_MAX && <p className="muted">{`and ${changes.length - CHANGES_SHOWN_MAX} more, in the JSON below`}</p>}
    </section>
  );
}

function Side({ kind, value }: { kind: "before" | "after"; value: Json | undefined }) {
  if (value === undefined) {
    return (
      <td className="absent">
        <span aria-hidden="true">–</span>
        <span className="unseen">did not exist</span>
      </td>
    );
  }
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 1);
  return (
    <td className={kind}>
      <div>
        <bdi>{clip(text, VALUE_CHARACTERS_MAX)}</bdi>
      </div>
    </td>
  );
}
