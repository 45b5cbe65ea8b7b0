import { useId, useMemo } from "react";
import type { Event, Json } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { CopyButton } from "../../ui/CopyButton";
import { wordsOf } from "../../ui/words";
import { pieces, printJson } from "./json-text";
import en from "./words.en.json";

const say = wordsOf({ en });

/** The whole event as it was returned. */
export function JsonView({ event }: { event: Event }) {
  const text = useMemo(() => printJson(event as unknown as Json), [event]);
  const labels = useLabels();
  const id = useId();
  return (
    <section aria-labelledby={id} className="record">
      <h3>
        <span id={id}>{labels.screen("record", say("record"))}</span>
        <CopyButton text={() => text} label={say("copy_json")} words={say("copy")} />
      </h3>
      <Coloured text={text} labelledBy={id} />
    </section>
  );
}

/** JSON as it is written, in colours. */
export function Coloured({ text, labelledBy }: { text: string; labelledBy: string }) {
  const coloured = useMemo(() => pieces(text), [text]);
  return (
    <pre className="json mono" dir="ltr" tabIndex={0} aria-labelledby={labelledBy}>
      {coloured.map((piece, place) =>
        piece.kind === "plain" ? (
          piece.text
        ) : (
          <span key={place} className={piece.kind}>
            {piece.text}
          </span>
        ),
      )}
    </pre>
  );
}
