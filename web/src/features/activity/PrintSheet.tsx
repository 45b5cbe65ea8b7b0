import type { Event } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { activityOf, clip, countryName, personOf, targetOf } from "../../event/words";
import type { Address } from "../../query/address";
import { pin, rangeLabel } from "../../query/range";
import { useScreen } from "../../screen";
import { fullTime } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { number, wordsOf } from "../../ui/words";
import { toBase64 } from "../../proof/bytes";
import { parseCheckpoint } from "../../proof/checkpoint";
import en from "./words.en.json";

const say = wordsOf({ en });

/** Characters of a cell on paper. */
const CELL_CHARACTERS_MAX = 600;

interface Props {
  title: string;
  address: Address;
  events: Event[];
  /** How many the query has, null while unknown. */
  count: number | null;
  /** The ledger's newest, as the server signed it. */
  checkpoint: string | null;
  at: Date;
}

/** The list on paper: what was asked, by whom and when, every event that was loaded, and the head that proves them. */
export default function PrintSheet({ title, address, events, count, checkpoint, at }: Props) {
  const head = checkpoint === null ? null : parseCheckpoint(checkpoint);
  const { access, policy } = useScreen();
  const zone = useZone();
  const labels = useLabels();
  const facts = [
    [say("print_query"), address.query.trim() || say("print_all")],
    [say("print_range"), rangeLabel(pin(address.range, at, zone, policy), zone, policy)],
    [say("print_zone"), zone.id],
    [say("print_by"), access.kind === "session" ? access.person : say(access.kind)],
    [say("print_at"), fullTime(at.toISOString(), zone)],
    [say("print_events"), count === null ? say("print_some", { shown: events.length }) : say("print_shown", { shown: events.length, all: count })],
  ];
  const columns = policy.columns.length > 0 ? policy.columns : null;
  return (
    <div className="print-sheet">
      <h1>
        <bdi>{access.organization}</bdi> · <bdi>{title}</bdi>
      </h1>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <bdi>{clip(value ?? "", CELL_CHARACTERS_MAX)}</bdi>
            </dd>
          </div>
        ))}
      </dl>
      <table>
        <thead>
          <tr>
            {(columns?.map(({ label }) => label) ?? [say("time"), say("who"), say("what"), say("target"), say("where")]).map((name, place) => (
              <th key={place} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id}>
              {(columns?.map(({ value }) => labels.render(value, event)) ?? cells(event, fullTime(event.occurred_at, zone))).map((text, place) => (
                <td key={place}>
                  <bdi>{clip(text, CELL_CHARACTERS_MAX)}</bdi>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="print-head">{head === null ? say("print_no_root") : say("print_root", { origin: head.origin, size: number(head.size), root: toBase64(head.root) })}</p>
    </div>
  );
}

/** The built-in columns of an event. */
function cells(event: Event, time: string): string[] {
  const person = personOf(event.actor);
  const targets = (event.targets ?? []).map((target) => targetOf(target)).map(({ name, detail }) => [name, detail].filter(Boolean).join(" · "));
  const where = [event.context?.ip, event.country === null ? null : countryName(event.country)];
  return [time, [person.name, person.detail].filter(Boolean).join(" · "), activityOf(event), targets.join(", "), where.filter(Boolean).join(" · ")];
}
