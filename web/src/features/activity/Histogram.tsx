import { useState, type KeyboardEvent } from "react";
import type { Interval } from "../../api/contract";
import { useZone } from "../../ui/useZone";
import type { Zone } from "../../ui/zone";
import { axis, barLabel, heights, type Bar } from "./bars";

interface Props {
  bars: Bar[];
  interval: Interval;
  onBar: (bar: Bar) => void;
}

/** How many events happened when. A bar narrows the range to itself; arrow keys move between bars. */
export default function Histogram({ bars, interval, onBar }: Props) {
  const zone = useZone();
  const [at, setAt] = useState(0);
  const current = Math.min(at, bars.length - 1);
  const tallest = Math.max(...bars.map((bar) => bar.count), 1);

  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(Math.max(current + step, 0), bars.length - 1);
    setAt(next);
    (event.currentTarget.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <>
      <div className="histogram" role="group" aria-label="Events over time; arrow keys move, Enter shows that time only" onKeyDown={move}>
        {bars.map((bar, index) => {
          const { rest, security } = heights(bar, tallest);
          const label = describe(bar, interval, zone);
          return (
            <button key={bar.from} type="button" tabIndex={index === current ? 0 : -1} aria-label={label} title={label} onFocus={() => setAt(index)} onClick={() => onBar(bar)}>
              {security > 0 && <s style={{ height: `${security}%` }} />}
              {rest > 0 && <i style={{ height: `${rest}%` }} />}
            </button>
          );
        })}
      </div>
      <div className="axis number" aria-hidden="true">
        {axis(bars, interval, zone).map((label) => (
          <span key={label}>{label}</span>
        ))}
      </div>
    </>
  );
}

function describe(bar: Bar, interval: Interval, zone: Zone): string {
  const security = bar.security === 0 ? "" : `, ${bar.security.toLocaleString("en")} of them security actions`;
  return `${barLabel(bar.from, interval, zone)}: ${bar.count.toLocaleString("en")} ${bar.count === 1 ? "event" : "events"}${security}`;
}
