import type { FormEvent } from "react";
import { Calendar, Caret } from "../../ui/icons";
import { Popover } from "../../ui/Popover";
import { useZone } from "../../ui/useZone";
import { customRange, daysOf, PRESETS, presetLabel, rangeLabel, type Range } from "../../query/range";

interface Props {
  range: Range | null;
  now: Date;
  onRange: (range: Range) => void;
}

/** The date range: presets, or two days of one's own. */
export function RangePicker({ range, now, onRange }: Props) {
  const zone = useZone();
  const label = (
    <>
      <Calendar />
      <span className="number">{range === null ? "Default range" : rangeLabel(range, zone)}</span>
      <Caret />
    </>
  );
  return (
    <Popover label={label} boxClassName="range-picker">
      {(close) => {
        const choose = (next: Range) => (onRange(next), close());
        return (
          <>
            <div className="menu">
              {PRESETS.map((preset) => (
                <button key={preset} type="button" className="menu-item" aria-pressed={range?.kind === "preset" && range.preset === preset} onClick={() => choose({ kind: "preset", preset })}>
                  {presetLabel(preset)}
                </button>
              ))}
            </div>
            <CustomRange days={daysOf(range, now, zone)} onRange={choose} />
          </>
        );
      }}
    </Popover>
  );
}

function CustomRange({ days, onRange }: { days: { from: string; to: string }; onRange: (range: Range) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onRange(customRange(String(form.get("from")), String(form.get("to"))));
  };
  return (
    <form onSubmit={submit}>
      {(["from", "to"] as const).map((end) => (
        <label className="field" key={end}>
          {end === "from" ? "From" : "To (included)"}
          <input className="input number" type="date" name={end} defaultValue={days[end]} max="9999-12-31" />
        </label>
      ))}
      <button className="button">Show these days</button>
    </form>
  );
}
