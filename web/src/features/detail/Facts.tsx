import { Fragment, type ReactNode } from "react";
import type { Event } from "../../api/contract";
import { CopyButton } from "../../ui/CopyButton";
import { Only, Without } from "../../ui/icons";
import { ago, fullTime } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { clip, countryName, personOf, sentenceCase, targetOf } from "../../event/words";

type Narrow = (field: string, value: string, negated: boolean) => void;

const TARGETS_SHOWN_MAX = 20;
const MESSAGE_CHARACTERS_MAX = 2_000;

/** Who, what, when and from where, as a list of names and values; what an event does not have is not listed. */
export function Facts({ event, now, onNarrow }: { event: Event; now: Date; onNarrow: Narrow }) {
  const zone = useZone();
  const context = event.context;
  return (
    <dl>
      <Fact name="Time">
        <time className="number" dateTime={event.occurred_at}>
          {fullTime(event.occurred_at, zone)}
        </time>{" "}
        <span className="muted">· {ago(event.occurred_at, now, zone)}</span>
      </Fact>
      <Fact name="Action">
        {event.action && (
          <div className="value">
            <span className="mono">
              <Text>{event.action}</Text>
            </span>
            <NarrowTo field="action" value={event.action} onNarrow={onNarrow} />
          </div>
        )}
      </Fact>
      <Fact name="Performed by">
        <Performer event={event} onNarrow={onNarrow} />
      </Fact>
      {event.targets && event.targets.length > 0 && (
        <Fact name="Entity">
          <Targets event={event} onNarrow={onNarrow} />
        </Fact>
      )}
      <Fact name="Product">
        {event.product && (
          <div className="value">
            <Text>{event.product}</Text>
            <NarrowTo field="product" value={event.product} onNarrow={onNarrow} />
          </div>
        )}
      </Fact>
      <Fact name="From">
        {context?.ip && (
          <div className="value">
            <span className="mono">{context.ip}</span>
            {event.country !== null && ` · ${countryName(event.country)}`}
            <NarrowTo field="ip" value={context.ip} onNarrow={onNarrow} />
          </div>
        )}
      </Fact>
      <Fact name="Page">{context?.url && <Text>{context.url}</Text>}</Fact>
      <Fact name="Browser">{context?.user_agent && <Text>{context.user_agent}</Text>}</Fact>
      <Fact name="Message">{event.message && <Text characters_max={MESSAGE_CHARACTERS_MAX}>{event.message}</Text>}</Fact>
      <Fact name="Removed">{event.redacted.length > 0 && event.redacted.join(", ")}</Fact>
      <Fact name="Kept until">{event.expires_at && <span className="number">{fullTime(event.expires_at, zone)}</span>}</Fact>
      <Fact name="Log ID">
        <span className="log-id">
          <span className="mono">{event.id}</span>
          <CopyButton text={() => event.id} label="Copy the Log ID" />
        </span>
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (!children) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Text({ children, characters_max }: { children: string; characters_max?: number }) {
  return <bdi>{clip(children, characters_max)}</bdi>;
}

function Performer({ event, onNarrow }: { event: Event; onNarrow: Narrow }) {
  const { actor } = event;
  const person = personOf(actor);
  const known = actor?.id ?? actor?.email ?? actor?.name;
  const more = [person.detail, actor?.team ? `${actor.team} team` : ""].filter((text) => text !== "");
  return (
    <>
      <div className="value">
        <Text>{person.name}</Text>
        {known && <NarrowTo field="actor" value={known} label={person.name} onNarrow={onNarrow} />}
      </div>
      {more.length > 0 && (
        <div className="muted">
          {more.map((text, place) => (
            <Fragment key={place}>
              {place > 0 && " · "}
              <Text>{text}</Text>
            </Fragment>
          ))}
        </div>
      )}
    </>
  );
}

function Targets({ event, onNarrow }: { event: Event; onNarrow: Narrow }) {
  const targets = event.targets ?? [];
  return (
    <>
      {targets.slice(0, TARGETS_SHOWN_MAX).map((target, place) => {
        const { name, detail } = targetOf(target);
        const known = target.id ?? target.email ?? target.name;
        return (
          <div key={place} className="value">
            <Text>{name}</Text>
            {detail !== "" && (
              <span className="muted">
                {" · "}
                <Text>{detail}</Text>
              </span>
            )}
            {known && <NarrowTo field="target" value={known} label={name} onNarrow={onNarrow} />}
          </div>
        );
      })}
      {targets.length > TARGETS_SHOWN_MAX && <div className="muted">{`and ${(targets.length - TARGETS_SHOWN_MAX).toLocaleString("en")} more, in the JSON below`}</div>}
    </>
  );
}

/** Two signs beside a value: only events with it, or those without it. */
function NarrowTo({ field, value, label = value, onNarrow }: { field: string; value: string; label?: string; onNarrow: Narrow }) {
  const words = `${sentenceCase(field).toLowerCase()} ${clip(label, 60)}`;
  return (
    <span className="narrow">
      <button type="button" className="icon-button" title={`Only ${words}`} aria-label={`Only ${words}`} onClick={() => onNarrow(field, value, false)}>
        <Only />
      </button>
      <button type="button" className="icon-button" title={`Without ${words}`} aria-label={`Without ${words}`} onClick={() => onNarrow(field, value, true)}>
        <Without />
      </button>
    </span>
  );
}
