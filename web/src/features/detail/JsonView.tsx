import { useMemo } from "react";
import type { Event, Json } from "../../api/contract";
import { CopyButton } from "../../ui/CopyButton";
import { pieces, printJson } from "./json-text";

/** The whole event as it was returned. */
export function JsonView({ event }: { event: Event }) {
  const text = useMemo(() => printJson(event as unknown as Json), [event]);
  const coloured = useMemo(() => pieces(text), [text]);
  return (
    <section aria-labelledby="json">
      <h3 id="json">
        <span>Activity details (JSON)</span>
        <CopyButton text={() => text} label="Copy the JSON" words="Copy" />
      </h3>
      <pre className="json mono" dir="ltr" tabIndex={0} aria-labelledby="json">
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
    </section>
  );
}
