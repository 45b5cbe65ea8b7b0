import type { Event } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import { useScreen } from "../../screen";
import { Shield } from "../../ui/icons";
import { wordsOf } from "../../ui/words";
import en from "./words.en.json";

const say = wordsOf({ en });

const WHY_CHARACTERS_MAX = 2_000;

/** Why what happened matters for security, in the catalog's words: of the action, else of its area. */
export function Why({ event }: { event: Event }) {
  const { policy } = useScreen();
  const labels = useLabels();
  const why = labels.why(event.action) ?? policy.areas.find((area) => area.id === event.area)?.why;
  if (!why) return null;
  return (
    <p className="why" role="note" aria-label={say("why")}>
      <Shield />
      <span>
        <b>{say("why")}:</b> <bdi>{clip(why, WHY_CHARACTERS_MAX)}</bdi>
      </span>
    </p>
  );
}
