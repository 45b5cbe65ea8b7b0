import type { OrganizationSetup } from "../../api/administration";
import { longDate } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { retentionChoices, type Written } from "./policy";
import { say } from "./words";

interface Props {
  setup: OrganizationSetup;
  written: Written | undefined;
  onWritten: (written: Written) => void;
}

/** A shorter retention that waits: it stands, or it is taken back. Writing the settings back says one of the two. */
export function Pending({ setup, written, onWritten }: Props) {
  const zone = useZone();
  const { pending_retention: pending } = setup;
  const texts = retentionChoices(setup);
  if (pending === null || texts === null) return null;
  const choices = [
    { text: texts.stands, words: say("pending_stands", { days: daysWords(texts.stands) }) },
    { text: texts.back, words: say("pending_back", { days: daysWords(texts.back) }) },
  ];
  return (
    <fieldset className="field pending">
      <legend>{say("retention_days")}</legend>
      <p className="notice calm">{say("pending", { days: daysWords(texts.stands), date: longDate(pending.takes_effect_at, zone) })}</p>
      {choices.map(({ text, words }) => (
        <label key={words} className="tickbox">
          <input type="radio" name="policy/retention_days" value={text} checked={written === text} onChange={() => onWritten(text)} />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Days as they are written in the field, where nothing is no limit. */
export function daysWords(text: string): string {
  return text === "" ? say("for_ever") : say("days", { count: Number(text) });
}
