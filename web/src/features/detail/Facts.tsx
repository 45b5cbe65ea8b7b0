import type { Event } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { onlyPath } from "../../event/template";
import { clip, countryName } from "../../event/words";
import { useScreen } from "../../screen";
import { wordsOf } from "../../ui/words";
import { ActorPeek } from "./ActorPeek";
import { Fact, LogId, Moment, Narrowing, Performer, subjectOf, Targets, Text, type Narrow } from "./values";
import en from "./words.en.json";

const say = wordsOf({ en });

const MESSAGE_CHARACTERS_MAX = 2_000;

interface Props {
  event: Event;
  now: Date;
  onNarrow: Narrow;
}

/** Who, what, when and from where, as the policy lists it, else as a list of what is known. What an event does not have is not listed. */
export function Facts(props: Props) {
  const { policy } = useScreen();
  return policy.details.length > 0 ? <PolicyFacts {...props} /> : <OwnFacts {...props} />;
}

function PolicyFacts({ event, now, onNarrow }: Props) {
  const { policy } = useScreen();
  const labels = useLabels();
  return (
    <dl>
      {policy.details.map(({ id, label, value }) => {
        const path = onlyPath(value);
        if (path === "id") return <LogId key={id} name={label} event={event} />;
        if (path === "occurred_at") return <Moment key={id} name={label} instant={event.occurred_at} now={now} />;
        const text = labels.render(value, event);
        const subject = subjectOf(value, event);
        return (
          <Fact key={id} name={label}>
            {text !== "" && (
              <div className="value">
                {subject?.field === "actor" ? <ActorPeek event={event} known={subject.value} name={text} now={now} /> : <Text characters_max={MESSAGE_CHARACTERS_MAX}>{text}</Text>}
                {subject !== null && <Narrowing {...subject} onNarrow={onNarrow} />}
              </div>
            )}
          </Fact>
        );
      })}
    </dl>
  );
}

function OwnFacts({ event, now, onNarrow }: Props) {
  const labels = useLabels();
  const { policy } = useScreen();
  const name = (path: string, builtIn: keyof typeof en) => policy.labels.fields[path] ?? say(builtIn);
  const { context } = event;
  return (
    <dl>
      <Moment name={name("occurred_at", "time")} instant={event.occurred_at} now={now} />
      <Fact name={name("action", "action")}>{event.action && <Value path="action" field="action" value={event.action} onNarrow={onNarrow} />}</Fact>
      <Fact name={name("actor", "performed_by")}>
        <Performer event={event} now={now} onNarrow={onNarrow} />
      </Fact>
      <Fact name={name("targets", "entity")}>{event.targets && event.targets.length > 0 && <Targets targets={event.targets} onNarrow={onNarrow} />}</Fact>
      <Fact name={name("product", "product")}>{event.product && <Value path="product" field="product" value={event.product} onNarrow={onNarrow} />}</Fact>
      <Fact name={name("context.ip", "from")}>
        {context?.ip && (
          <div className="value">
            <span className="mono">{context.ip}</span>
            {event.country !== null && ` · ${countryName(event.country)}`}
            <Narrowing field="ip" value={context.ip} label={context.ip} onNarrow={onNarrow} />
          </div>
        )}
      </Fact>
      <Fact name={name("context.url", "page")}>{context?.url && <Text>{context.url}</Text>}</Fact>
      <Fact name={name("context.user_agent", "browser")}>{context?.user_agent && <Text>{context.user_agent}</Text>}</Fact>
      <Fact name={name("message", "message")}>{event.message && <Text characters_max={MESSAGE_CHARACTERS_MAX}>{event.message}</Text>}</Fact>
      <Fact name={say("removed")}>{event.redacted.length > 0 && event.redacted.map((part) => labels.at("redacted", part)).join(", ")}</Fact>
      {event.expires_at !== null && <Moment name={name("expires_at", "kept_until")} instant={event.expires_at} />}
      <LogId name={name("id", "log_id")} event={event} />
    </dl>
  );
}

/** A value in the policy's words; where those say it otherwise, as it is beside them. */
function Value({ path, field, value, onNarrow }: { path: string; field: string; value: string; onNarrow: Narrow }) {
  const words = useLabels().at(path, value);
  return (
    <div className="value">
      {words !== value && (
        <>
          <Text>{words}</Text>{" "}
        </>
      )}
      <span className={words === value ? "" : "mono muted"}>
        <Text>{value}</Text>
      </span>
      <Narrowing field={field} value={value} label={clip(words, 60)} onNarrow={onNarrow} />
    </div>
  );
}
