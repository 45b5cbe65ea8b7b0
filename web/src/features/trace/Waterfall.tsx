import type { CSSProperties } from "react";
import type { Event } from "../../api/contract";
import { activityOf, clip, personOf } from "../../event/words";
import { clock, duration } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { stepsOf, type Step } from "./steps";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  /** All events of the trace, oldest first. */
  events: Event[];
  /** Which of them are listed: from, and up to before. */
  shown?: [number, number];
  selected: string | null;
  /** Whether there is room for who did each and how long it took. */
  isWide?: boolean;
  onOpen: (id: string) => void;
}

/** Events of a trace one below the other, each with a bar from its own time to the next one's. */
export function Waterfall({ events, shown = [0, events.length], selected, isWide = false, onOpen }: Props) {
  return (
    <ol className={isWide ? "trace wide" : "trace"}>
      {stepsOf(events)
        .slice(...shown)
        .map((step) => (
          <Row key={step.event.id} step={step} isSelected={step.event.id === selected} isWide={isWide} onOpen={onOpen} />
        ))}
    </ol>
  );
}

function Row({ step, isSelected, isWide, onOpen }: { step: Step; isSelected: boolean; isWide: boolean; onOpen: (id: string) => void }) {
  const zone = useZone();
  const { event, after_ms, lasts_ms } = step;
  const after = duration(after_ms);
  const told = lasts_ms === null ? say("step", { after }) : say("step_next", { after, time: duration(lasts_ms) });
  return (
    <li>
      <button type="button" data-event={event.id} aria-current={isSelected} title={told} onClick={() => onOpen(event.id)}>
        <time className="number" dateTime={event.occurred_at}>
          {clock(event.occurred_at, zone)}
        </time>
        <span className="line">
          <bdi>{clip(activityOf(event))}</bdi>
        </span>
        {isWide && (
          <span className="line muted">
            <bdi>{clip(personOf(event.actor).name)}</bdi>
          </span>
        )}
        <span className="track" aria-hidden="true">
          <i style={{ "--begin": step.begin, "--length": step.length } as CSSProperties} />
        </span>
        {isWide && <span className="number muted after">+{after}</span>}
        <span className="unseen">{told}</span>
      </button>
    </li>
  );
}
