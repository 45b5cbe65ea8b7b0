import type { OrganizationSetup } from "../../api/administration";
import { longDate } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import type { Written } from "./policy";
import { say } from "./words";

interface Props {
  pending: NonNullable<OrganizationSetup["pending_retention"]>;
  /** The days that are in force until then. */
  now: number | null;
  written: Written | undefined;
  onWritten: (written: Written) => void;
}

/** A shorter retention that waits: it stands, or it is taken back. Writing the settings back says one of the two. */
export function Pending({ pending, now, written, onWritten }: Props) {
  const zone = useZone();
  const days = (value: number | null) => (value === null ? say("for_ever") : say("days", { count: value }));
  const choices = [
    { value: pending.retention_days, words: say("pending_stands", { days: days(pending.retention_days) }) },
    { value: now, words: say("pending_back", { days: days(now) }) },
  ].map(({ value, words }) => ({ text: value === null ? "" : String(value), words }));
  return (
    <fieldset className="field pending">
      <legend>{say("retention_days")}</legend>
      <p className="notice calm">{say("pending", { days: days(pending.retention_days), date: longDate(pending.takes_effect_at, zone) })}</p>
      {choices.map(({ text, words }) => (
        <label key={words} className="tickbox">
          <input type="radio" name="policy/retention_days" value={text} checked={written === text} onChange={() => onWritten(text)} />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}
