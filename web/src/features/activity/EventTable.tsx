import { memo, useMemo } from "react";
import type { Event } from "../../api/contract";
import { Avatar, ResultBadge, SecurityBadge } from "../../ui/marks";
import { ago, clock, dayHeading } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { byDay } from "./timeline";
import { actionTypeLabel, activityOf, clip, countryName, headAndTail, initials, isMachine, personOf, targetOf } from "../../event/words";

interface Props {
  events: Event[];
  fresh: ReadonlySet<string>;
  selected: string | null;
  isWaiting: boolean;
  now: Date;
  onOpen: (id: string) => void;
}

/** The list, newest first, a heading for each day. */
export function EventTable({ events, fresh, selected, isWaiting, now, onOpen }: Props) {
  const zone = useZone();
  const days = useMemo(() => byDay(events, zone), [events, zone]);
  return (
    <table className={`events ${isWaiting ? "waiting" : ""}`} aria-label="Events, newest first" aria-busy={isWaiting}>
      <colgroup>
        <col className="column-time" />
        <col className="column-user" />
        <col className="column-activity" />
        <col className="column-target" />
        <col className="column-address" />
      </colgroup>
      <thead>
        <tr>
          <th scope="col" title={zone.id}>
            Time <span>{zone.nameAt(now)}</span>
          </th>
          <th scope="col" className="wide">
            User
          </th>
          <th scope="col">Activity</th>
          <th scope="col" className="wide">
            Target
          </th>
          <th scope="col" className="wide">
            IP address
          </th>
        </tr>
      </thead>
      {days.map(({ day, events }) => (
        <tbody key={day}>
          <tr>
            <th scope="rowgroup" colSpan={5} className="day">
              {dayHeading(day, now, zone)}
            </th>
          </tr>
          {events.map((event) => (
            <Row key={event.id} event={event} isFresh={fresh.has(event.id)} isSelected={event.id === selected} when={ago(event.occurred_at, now, zone)} onOpen={onOpen} />
          ))}
        </tbody>
      ))}
    </table>
  );
}

interface RowProps {
  event: Event;
  isFresh: boolean;
  isSelected: boolean;
  when: string;
  onOpen: (id: string) => void;
}

/** One event. The row takes the pointer; its button is what the keyboard and screen readers find. */
const Row = memo(function Row({ event, isFresh, isSelected, when, onOpen }: RowProps) {
  const zone = useZone();
  const person = personOf(event.actor);
  const [first, ...others] = event.targets ?? [];
  const target = first === undefined ? null : targetOf(first);
  const ip = event.context?.ip;
  return (
    <tr className="event" data-action={event.action} data-selected={isSelected} data-fresh={isFresh} onClick={() => onOpen(event.id)}>
      <td className="number">
        <div className="two">
          <time dateTime={event.occurred_at}>{clock(event.occurred_at, zone)}</time>
          <small>{when}</small>
        </div>
      </td>
      <td className="wide">
        <div className="who">
          <Avatar letters={initials(person.name)} isMachine={isMachine(event.actor)} />
          <Two first={person.name} second={person.detail} />
        </div>
      </td>
      <td>
        <div className="two">
          <button type="button" className="open-event line" data-event={event.id} aria-pressed={isSelected}>
            <bdi>{clip(activityOf(event))}</bdi>
          </button>
          <small className="who-line line">
            <bdi>{clip(person.name)}</bdi>
          </small>
          <small>
            <span className="type line" data-type={event.action_type}>
              <bdi>{clip(typeOf(event), 60)}</bdi>
            </span>
            <ResultBadge result={event.result} />
            {event.security && <SecurityBadge />}
          </small>
        </div>
      </td>
      <td className="wide">{target && <Two first={target.name} second={[target.detail, others.length === 0 ? "" : `${others.length} more`].filter(Boolean).join(" · ")} />}</td>
      <td className="wide">{ip && <Two first={ip} second={event.country === null ? "" : countryName(event.country)} isMono />}</td>
    </tr>
  );
});

/** What kind of act it was; where the type says nothing, the action does. */
function typeOf(event: Event): string {
  return event.action_type === "other" && event.description ? event.action : actionTypeLabel(event.action_type);
}

function Two({ first, second, isMono = false }: { first: string; second: string; isMono?: boolean }) {
  const [head, tail] = headAndTail(first);
  return (
    <div className="two">
      <span className={isMono ? "ends mono" : "ends"} title={clip(first)}>
        <bdi className="line">{clip(head)}</bdi>
        {tail !== "" && <bdi>{clip(tail)}</bdi>}
      </span>
      {second !== "" && (
        <small>
          <span className="line" title={clip(second)}>
            <bdi>{clip(second)}</bdi>
          </span>
        </small>
      )}
    </div>
  );
}
