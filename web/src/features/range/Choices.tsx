import { lazy, Suspense, useId, useState, type FormEvent } from "react";
import { defaultRange, keptSince, printRange, rangeLabel, spanLabel, tooWide, type Range } from "../../query/range";
import { typedRange } from "../../query/typed";
import { useScreen } from "../../screen";
import { longDate } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { offeredRanges, offersCustom } from "./presets";
import en from "./words.en.json";

const say = wordsOf({ en });
const Calendar = lazy(() => import("./Calendar"));

interface Props {
  range: Range | null;
  now: Date;
  onRange: (range: Range) => void;
}

/** What is in the picker's box: ranges by name, one's own, and what the policy allows. */
export default function Choices({ range, now, onRange }: Props) {
  const { policy } = useScreen();
  const zone = useZone();
  const usual = printRange(defaultRange(policy));
  const current = range === null ? usual : printRange(range);
  const isCustom = offersCustom(policy);
  return (
    <>
      <div className="menu">
        {offeredRanges(policy).map((offer) => (
          <button key={printRange(offer)} type="button" className="menu-item" aria-pressed={printRange(offer) === current} onClick={() => onRange(offer)}>
            {rangeLabel(offer, zone, policy)}
            {printRange(offer) === usual && <small className="muted">{say("default")}</small>}
          </button>
        ))}
      </div>
      {isCustom && (
        <div className="range-own">
          <Typed now={now} onRange={onRange} />
          <Suspense fallback={<div className="calendar" />}>
            <Calendar range={range} now={now} onRange={onRange} />
          </Suspense>
        </div>
      )}
      <Bounds range={range} now={now} />
    </>
  );
}

function Typed({ now, onRange }: { now: Date; onRange: (range: Range) => void }) {
  const { policy } = useScreen();
  const zone = useZone();
  const [text, setText] = useState("");
  const [isAsked, setAsked] = useState(false);
  const said = useId();
  const typed = typedRange(text);
  const days = typed === null ? null : tooWide(typed, now, zone, policy);
  const fault = typed === null ? say("typed_unknown") : days === null ? null : say("typed_wide", { count: days, max: policy.max_range_days ?? "" });
  const isFaulty = fault !== null && (isAsked || days !== null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setAsked(true);
    if (typed !== null && fault === null) onRange(typed);
  };
  return (
    <form className="range-typed" onSubmit={submit}>
      <label className="field">
        {say("typed")}
        <input
          className="input number"
          value={text}
          placeholder={say("typed_hint")}
          autoComplete="off"
          spellCheck={false}
          aria-invalid={isFaulty}
          aria-describedby={said}
          onChange={(event) => (setText(event.target.value), setAsked(false))}
        />
      </label>
      <p id={said} className={isFaulty ? "field-fault" : "muted"} role="status">
        {isFaulty ? fault : typed === null ? "" : say("meaning", { span: spanLabel(typed, now, zone, policy) })}
      </p>
    </form>
  );
}

/** Which instants are shown, and what the policy allows. */
function Bounds({ range, now }: { range: Range | null; now: Date }) {
  const { policy } = useScreen();
  const zone = useZone();
  const since = keptSince(now, zone, policy);
  return (
    <ul className="range-bounds number">
      <li>{say("now", { span: spanLabel(range, now, zone, policy), zone: zone.id })}</li>
      {policy.max_range_days !== null && <li>{say("max", { count: policy.max_range_days })}</li>}
      {since !== null && <li>{say("kept", { count: policy.retention_days ?? 0, since: longDate(zone.startOf(since).toISOString(), zone) })}</li>}
      {policy.recorded_since !== null && <li>{say("recorded", { since: longDate(policy.recorded_since, zone) })}</li>}
    </ul>
  );
}
