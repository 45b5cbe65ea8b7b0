// The lines of the panel and what stands in them.
import { Fragment, type ReactNode } from "react";
import type { Event, Target } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { parseTemplate } from "../../event/template";
import { clip, personOf, targetOf } from "../../event/words";
import { CopyButton } from "../../ui/CopyButton";
import { Only, Without } from "../../ui/icons";
import { ago, fullTime } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { ActorPeek } from "./ActorPeek";
import en from "./words.en.json";

const say = wordsOf({ en });

export type Narrow = (field: string, value: string, negated: boolean) => void;

const TARGETS_SHOWN_MAX = 20;

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (!children) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

export function Text({ children, characters_max }: { children: string; characters_max?: number }) {
  return <bdi>{clip(children, characters_max)}</bdi>;
}

/** An instant in the policy's zone; with `now` also how long ago. */
export function Moment({ name, instant, now }: { name: string; instant: string; now?: Date }) {
  const zone = useZone();
  return (
    <Fact name={name}>
      <time className="number" dateTime={instant}>
        {fullTime(instant, zone)}
      </time>
      {now !== undefined && <span className="muted"> · {ago(instant, now, zone)}</span>}
    </Fact>
  );
}

export function LogId({ name, event }: { name: string; event: Event }) {
  return (
    <Fact name={name}>
      <span className="log-id">
        <span className="mono">{event.id}</span>
        <CopyButton text={() => event.id} label={say("copy_id")} />
      </span>
    </Fact>
  );
}

/** Who did it, and what else is known of them at a press. */
export function Performer({ event, now, onNarrow }: { event: Event; now: Date; onNarrow: Narrow }) {
  const { actor } = event;
  const person = personOf(actor);
  const known = actor?.id ?? actor?.email ?? actor?.name;
  const more = [person.detail, actor?.team ? say("team", { team: actor.team }) : ""].filter((text) => text !== "");
  return (
    <>
      <div className="value">
        {known ? <ActorPeek event={event} known={known} name={person.name} now={now} /> : <Text>{person.name}</Text>}
        {known && <Narrowing field="actor" value={known} label={person.name} onNarrow={onNarrow} />}
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

export function Targets({ targets, onNarrow }: { targets: Target[]; onNarrow: Narrow }) {
  return (
    <>
      {targets.slice(0, TARGETS_SHOWN_MAX).map((target, place) => (
        <TargetLine key={place} target={target} onNarrow={onNarrow} />
      ))}
      {targets.length > TARGETS_SHOWN_MAX && <div className="muted">{say("more_in_record", { count: targets.length - TARGETS_SHOWN_MAX })}</div>}
    </>
  );
}

function TargetLine({ target, onNarrow }: { target: Target; onNarrow: Narrow }) {
  const labels = useLabels();
  const { name } = targetOf(target);
  const kind = target.type === "unknown" ? "" : labels.value("target_type", target.type);
  const detail = [kind, target.email === name ? "" : target.email].filter(Boolean).join(" · ");
  const known = target.id ?? target.email ?? target.name;
  return (
    <div className="value">
      <Text>{name}</Text>
      {detail !== "" && (
        <span className="muted">
          {" · "}
          <Text>{detail}</Text>
        </span>
      )}
      {known && <Narrowing field="target" value={known} label={name} onNarrow={onNarrow} />}
    </div>
  );
}

interface Subject {
  field: string;
  value: string;
  label: string;
}

/** What a line of the policy speaks of, as a filter: by the first path that events can be filtered by. */
export function subjectOf(template: string, event: Event): Subject | null {
  const roots = parseTemplate(template).flatMap((piece) => ("paths" in piece ? piece.paths.map((path) => (path === "context.ip" ? "ip" : path.split(".")[0]!)) : []));
  for (const root of roots) {
    const subject = subjectAt(root, event);
    if (subject !== null) return subject;
  }
  return null;
}

function subjectAt(root: string, event: Event): Subject | null {
  const of = (field: string, value: string | null | undefined, label = value) => (value ? { field, value, label: label ?? value } : null);
  switch (root) {
    case "actor":
      return of("actor", event.actor?.id ?? event.actor?.email ?? event.actor?.name, personOf(event.actor).name);
    case "targets": {
      const [target] = event.targets ?? [];
      return target === undefined ? null : of("target", target.id ?? target.email ?? target.name, targetOf(target).name);
    }
    case "ip":
      return of("ip", event.context?.ip);
    case "action":
    case "action_type":
    case "area":
    case "product":
    case "country":
    case "result":
    case "trace_id":
      return of(root, event[root]);
    default:
      return null;
  }
}

/** Two signs beside a value: only events with it, or those without it. */
export function Narrowing({ field, value, label, onNarrow }: Subject & { onNarrow: Narrow }) {
  const labels = useLabels();
  const words = { field: labels.field(field).toLowerCase(), value: clip(label, 60) };
  return (
    <span className="narrow">
      <button type="button" className="icon-button" title={say("only", words)} aria-label={say("only", words)} onClick={() => onNarrow(field, value, false)}>
        <Only />
      </button>
      <button type="button" className="icon-button" title={say("not", words)} aria-label={say("not", words)} onClick={() => onNarrow(field, value, true)}>
        <Without />
      </button>
    </span>
  );
}
