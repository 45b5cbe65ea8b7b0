import { useState } from "react";
import { DESTINATION_TYPES, type DestinationType, type Stream, type StreamRequest } from "../../api/streams";
import type { Versioned } from "../../api/versioned";
import { Choice, Field, Form, type Typed } from "../../ui/Form";
import { Link } from "../../ui/Link";
import { Secret } from "../../ui/Secret";
import { useZone } from "../../ui/useZone";
import type { Zone } from "../../ui/zone";
import { QueryField } from "../query/QueryField";
import { readDestination, readSecrets, typeOf, wayOf, type SecretWish } from "./destinations";
import { MemberField } from "./MemberField";
import { SecretFields } from "./SecretFields";
import { instantOf } from "./start";
import { useStreams } from "./useStreams";
import { say } from "./words";

const MAPPINGS = ["native", "ocsf", "ecs", "catalog"] as const;
const CATALOG = "catalog:";
const STARTS = ["now", "beginning", "time"] as const;
const USUAL = { batch_events: 1000, interval_seconds: 60 };

/** A stream as it is set up: a new one, or one to be changed. What is secret is never shown. */
export function StreamForm({ of }: { of: Versioned<Stream> | null }) {
  const { streams, again, goTo, pathTo } = useStreams();
  const zone = useZone();
  const stream = of?.value ?? null;
  const [type, setType] = useState<DestinationType>(stream?.destination.type ?? "s3");
  const [wish, setWish] = useState<SecretWish>({ set: stream?.secrets ?? [], way: wayOf(type, stream?.secrets ?? []), removed: new Set() });
  const [secret, setSecret] = useState<string | null>(null);
  const choose = (next: DestinationType) => {
    setType(next);
    setWish({ set: [], way: 0, removed: new Set() });
  };
  async function save(typed: Typed) {
    const body = requestOf(typed, type, wish, zone, stream === null);
    const made = of === null ? (await streams.create(body)).secret : null;
    if (of !== null) await streams.change(of.value.id, body, of.version);
    await again();
    // A secret that the server has made is told now or never.
    if (made !== null) setSecret(made);
    else goTo(null);
  }
  return (
    <main className="page delivery">
      <p className="back">
        <Link to={pathTo(null)}>{say("title")}</Link>
      </p>
      <div className="title">
        <h1>{stream === null ? say("new") : <bdi>{stream.name}</bdi>}</h1>
      </div>
      <Form button={say(stream === null ? "create" : "save")} sending={say("saving")} onSend={save}>
        <Field label={say("name")} name="name" required autoComplete="off" defaultValue={stream?.name} />
        <fieldset className="group">
          <legend>{say("destination")}</legend>
          {stream === null ? (
            <Choice label={say("type")} name="destination/type" value={type} onChange={({ currentTarget }) => choose(currentTarget.value as DestinationType)} options={DESTINATION_TYPES.map((each) => [each, say(`type_${each}`)])} />
          ) : (
            <p>{say(`type_${type}`)}</p>
          )}
          {typeOf(type).members.map((member) => (
            <MemberField key={`${type} ${member.name}`} member={member} destination={stream?.destination ?? null} />
          ))}
        </fieldset>
        <SecretFields key={type} type={type} isThere={stream !== null} wish={wish} onWish={setWish} />
        <What stream={stream} />
        <fieldset className="group">
          <legend>{say("pace")}</legend>
          <div className="beside">
            <Field label={say("batch_events")} name="batch_events" type="number" min={1} max={10_000} required defaultValue={stream?.batch_events ?? USUAL.batch_events} />
            <Field label={say("interval_seconds")} name="interval_seconds" type="number" min={1} max={3600} required defaultValue={stream?.interval_seconds ?? USUAL.interval_seconds} />
          </div>
          <p className="muted">{say("pace_about")}</p>
        </fieldset>
      </Form>
      {secret !== null && <Secret title={say("secret_made")} about={say("secret_about")} secrets={[{ label: say("secret_secret"), value: secret }]} onClose={() => goTo(null)} />}
    </main>
  );
}

/** Which events are delivered, from when on, and in which form. */
function What({ stream }: { stream: Stream | null }) {
  const given = stream?.mapping ?? "native";
  const [mapping, setMapping] = useState(given.startsWith(CATALOG) ? "catalog" : given);
  const [start, setStart] = useState<string>("now");
  const zone = useZone();
  return (
    <fieldset className="group">
      <legend>{say("events")}</legend>
      <QueryField label={say("filter")} name="filter" first={stream?.filter ?? ""} />
      <Choice label={say("mapping")} name="mapping" value={mapping} onChange={({ currentTarget }) => setMapping(currentTarget.value)} options={MAPPINGS.map((each) => [each, say(`mapping_${each}`)])} />
      {mapping === "catalog" && <Field label={say("mapping_name")} name="mapping_name" required autoComplete="off" defaultValue={given.startsWith(CATALOG) ? given.slice(CATALOG.length) : ""} hint={say("mapping_name_hint")} />}
      {stream === null && <Choice label={say("start")} name="start" value={start} onChange={({ currentTarget }) => setStart(currentTarget.value)} options={STARTS.map((each) => [each, say(`start_${each}`)])} />}
      {stream === null && start === "time" && <Field label={say("from_time")} name="start_time" type="datetime-local" required hint={say("time_hint", { zone: zone.id })} />}
    </fieldset>
  );
}

function requestOf(typed: Typed, type: DestinationType, wish: SecretWish, zone: Zone, isNew: boolean): StreamRequest {
  const [mapping, start] = [typed("mapping") ?? "native", typed("start") ?? "now"];
  return {
    name: typed("name") ?? "",
    destination: readDestination(type, typed),
    secrets: readSecrets(type, typed, wish),
    mapping: mapping === "catalog" ? CATALOG + (typed("mapping_name") ?? "") : mapping,
    filter: typed("filter") ?? "",
    ...(isNew ? { start: start === "time" ? instantOf(typed("start_time") ?? "", zone) : start } : {}),
    batch_events: Number(typed("batch_events")),
    interval_seconds: Number(typed("interval_seconds")),
  };
}
