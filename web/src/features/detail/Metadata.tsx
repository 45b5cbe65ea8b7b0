import { useId } from "react";
import type { Event, Json } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import { wordsOf } from "../../ui/words";
import { linesOf, type Line } from "./metadata";
import { Fact, Narrowing, Text, type Narrow } from "./values";
import en from "./words.en.json";

const say = wordsOf({ en });

const LINES_SHOWN_MAX = 20;
const VALUES_SHOWN_MAX = 20;

/** What the product says beside the fields that every event has, such as permissions, durations or plans. */
export function Metadata({ event, onNarrow }: { event: Event; onNarrow: Narrow }) {
  const id = useId();
  const lines = linesOf(event.metadata ?? null);
  if (lines.length === 0) return null;
  return (
    <section aria-labelledby={id} className="metadata">
      <h3 id={id}>{say("metadata")}</h3>
      <dl>
        {lines.slice(0, LINES_SHOWN_MAX).map((line) => (
          <MetadataLine key={line.path} line={line} onNarrow={onNarrow} />
        ))}
      </dl>
      {lines.length > LINES_SHOWN_MAX && <p className="muted">{say("more_in_record", { count: lines.length - LINES_SHOWN_MAX })}</p>}
    </section>
  );
}

function MetadataLine({ line: { path, value }, onNarrow }: { line: Line; onNarrow: Narrow }) {
  const labels = useLabels();
  const values = Array.isArray(value) ? value : [value];
  return (
    <Fact name={clip(labels.field(path), 100)}>
      {values.slice(0, VALUES_SHOWN_MAX).map((each, place) => (
        <div key={place} className="value">
          <Text>{labels.at(path, each)}</Text>
          {isSimple(each) && <Narrowing field={path} value={String(each)} label={labels.at(path, each)} onNarrow={onNarrow} />}
        </div>
      ))}
      {values.length > VALUES_SHOWN_MAX && <div className="muted">{say("more_in_record", { count: values.length - VALUES_SHOWN_MAX })}</div>}
    </Fact>
  );
}

function isSimple(value: Json): boolean {
  return value !== null && typeof value !== "object";
}
