import type { Interval } from "../../api/contract";
import { customRange, type Range } from "../../query/range";
import { Link } from "../../ui/Link";
import { wordsOf } from "../../ui/words";
import { endOf } from "./questions";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  /** In order; `value` is null where there is nothing to reckon with. */
  bars: { start: string; value: number | null; security?: number }[];
  interval: Interval;
  /** Where the last bar ends at the latest. */
  to: string | null;
  name: (start: string) => string;
  show: (value: number) => string;
  link: (range: Range) => string;
}

/** Values over time as bars, each a link to its events. */
export function Trend({ bars, interval, to, name, show, link }: Props) {
  const most = Math.max(Number.MIN_VALUE, ...bars.map((bar) => bar.value ?? 0));
  const starts = bars.map((bar) => bar.start);
  return (
    <>
      <ol className="trend">
        {bars.map(({ start, value, security = 0 }, at) => {
          const label = say("bar", { when: name(start), value: value === null ? say("none") : show(value) });
          const end = endOf(starts, at, interval, to);
          const height = value === null || value === 0 ? 0 : Math.max(3, (100 * value) / most);
          return (
            <li key={start}>
              <Link to={link(customRange(start, end ?? ""))} aria-label={label} title={label}>
                {security > 0 && <s style={{ height: `${Math.max(3, (100 * security) / most)}%` }} />}
                <i style={{ height: `${security > 0 ? (height * ((value ?? 0) - security)) / Math.max(1, value ?? 1) : height}%` }} />
              </Link>
            </li>
          );
        })}
      </ol>
      <div className="axis number" aria-hidden="true">
        <span>{bars[0] && name(bars[0].start)}</span>
        <span>{bars.length > 1 && name(bars[bars.length - 1]!.start)}</span>
      </div>
    </>
  );
}
