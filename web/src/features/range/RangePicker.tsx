import { lazy, Suspense } from "react";
import { isMoving, pin, rangeLabel, type Range } from "../../query/range";
import { useScreen } from "../../screen";
import { Calendar, Caret, Pin } from "../../ui/icons";
import { Popover } from "../../ui/Popover";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import en from "./button.en.json";

const say = wordsOf({ en });
const Choices = lazy(() => import("./Choices"));

interface Props {
  /** Null is what the policy shows by default. */
  range: Range | null;
  now: Date;
  onRange: (range: Range) => void;
}

/** The range: by name, as typed, or by two days of a calendar. One more click keeps a range that moves where it is. */
export function RangePicker({ range, now, onRange }: Props) {
  const { policy } = useScreen();
  const zone = useZone();
  const name = rangeLabel(range, zone, policy);
  const label = (
    <>
      <Calendar />
      <span className="number">{name}</span>
      <Caret />
    </>
  );
  return (
    <div className="range">
      <Popover label={label} boxClassName="range-picker">
        {(close) => (
          <Suspense fallback={null}>
            <Choices range={range} now={now} onRange={(next) => (onRange(next), close())} />
          </Suspense>
        )}
      </Popover>
      {isMoving(range) && (
        <button type="button" className="button pin" title={say("pin")} aria-label={say("pin")} onClick={() => onRange(pin(range, now, zone, policy))}>
          <Pin />
        </button>
      )}
    </div>
  );
}
