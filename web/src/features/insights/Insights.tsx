import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, type ReactNode } from "react";
import type { Interval, Policy } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import { printAddress, type Address } from "../../query/address";
import { resolve, type Range } from "../../query/range";
import { useAddress } from "../../query/useAddress";
import { useScreen } from "../../screen";
import { Link } from "../../ui/Link";
import { useNow } from "../../ui/useNow";
import { useTitle } from "../../ui/useTitle";
import { useZone } from "../../ui/useZone";
import { number, wordsOf } from "../../ui/words";
import { barLabel, intervalFor } from "../histogram/bars";
import { RangePicker } from "../range/RangePicker";
import { Question } from "./Question";
import { LISTS, queryOf, TILES, type TopList } from "./questions";
import { Trend } from "./Trend";
import en from "./words.en.json";

const say = wordsOf({ en });
const ENTRIES_MAX = 8;

export interface Span {
  from?: string;
  to?: string;
}

/** What happened in a range as numbers; every one leads to the events behind it. */
export default function Insights() {
  const { policy } = useScreen();
  const [address, change] = useAddress();
  const now = useNow();
  const zone = useZone();
  const { from, to } = resolve(address.range, now, zone, policy);
  const span = useMemo<Span>(() => ({ ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }), [from, to]);
  const link = (query: string, range: Range | null = address.range) => linkTo(query, range);
  useTitle(say("title"));
  return (
    <main className="page insights">
      <div className="title">
        <h1>{say("title")}</h1>
        <div className="title-end">
          <RangePicker range={address.range} now={now} onRange={(range) => change({ range })} />
        </div>
      </div>
      <p className="about">{say("of_range")}</p>
      <Tiles span={span} link={link} />
      <OverTime span={span} />
      <div className="insight-lists">
        {LISTS.map((list) => (
          <Top key={list.name} list={list} span={span} link={link} />
        ))}
      </div>
      <Questions policy={policy} span={span} link={link} />
    </main>
  );
}

/** The activity with a query and a range. */
function linkTo(query: string, range: Range | null): string {
  const address: Address = { query, range, order: "desc", columns: null, event: null, reads: true, view: null };
  return `/${printAddress(address)}`;
}

interface Part {
  span: Span;
  link: (query: string, range?: Range | null) => string;
}

function Tiles({ span, link }: Part) {
  const { client } = useScreen();
  const asked = useQuery({
    queryKey: ["insights", "tiles", span],
    queryFn: ({ signal }) => client.aggregate({ ...span, metrics: TILES.map((tile) => tile.metric) }, signal),
    placeholderData: keepPreviousData,
  });
  if (asked.isError) return <Failed reason={asked.error.message} />;
  const metrics = asked.data?.rows[0]?.metrics;
  return (
    <dl className="tiles" aria-busy={asked.isFetching}>
      {TILES.map(({ name, query }) => (
        <div key={name} className="tile">
          <dt>{say(name)}</dt>
          <dd className="number">{asked.isPending ? <span className="muted">…</span> : <Link to={link(query)}>{number(metrics?.[name] ?? 0)}</Link>}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Events by the intervals that suit the range; a bar leads to its time. */
function OverTime({ span }: { span: Span }) {
  const { client } = useScreen();
  const zone = useZone();
  const asking = useQuery({
    queryKey: ["insights", "scope", span],
    queryFn: async ({ signal }) => {
      const oldest = await client.events({ ...span, order: "asc", limit: 1 }, signal);
      return { from: oldest.range.from ?? oldest.events[0]?.occurred_at ?? null, to: oldest.range.to ?? new Date().toISOString() };
    },
  });
  // Whole days, as the bars are; an open range begins with its oldest event.
  const from = asking.data?.from ?? null;
  const whole = from === null ? null : { from: zone.startOf(zone.dayOf(new Date(from))).toISOString(), to: asking.data!.to };
  const asked = useQuery({
    queryKey: ["insights", "events", whole],
    queryFn: async ({ signal }) => {
      const interval: Interval = intervalFor(whole!);
      return { interval, ...(await client.histogram({ ...whole, interval, time_zone: zone.id }, signal)) };
    },
    enabled: whole !== null,
    placeholderData: keepPreviousData,
  });
  const problem = asking.error ?? asked.error;
  if (problem !== null) return <Failed reason={problem.message} />;
  const interval = asked.data?.interval ?? "day";
  const bars = asked.data?.buckets.map((bucket) => ({ start: bucket.start, value: bucket.count, security: bucket.security })) ?? [];
  return (
    <Card title={say("over_time")}>
      {asking.isSuccess && whole === null && <p className="muted">{say("nothing")}</p>}
      <Trend bars={bars} interval={interval} to={whole?.to ?? null} name={(start) => barLabel(start, interval, zone)} show={number} link={(range) => linkTo("", range)} />
    </Card>
  );
}

function Top({ list, span, link }: Part & { list: TopList }) {
  const { client } = useScreen();
  const labels = useLabels();
  const asked = useQuery({
    queryKey: ["insights", list.name, span],
    queryFn: async ({ signal }) => (await client.facets({ ...span, q: list.query, field: [list.field], limit: ENTRIES_MAX }, signal)).facets[list.field] ?? [],
    placeholderData: keepPreviousData,
  });
  const most = Math.max(1, ...(asked.data ?? []).map((entry) => entry.count));
  const entries = (asked.data ?? []).filter((entry) => entry.count > 0);
  return (
    <Card title={say(list.name)}>
      {asked.isPending && <p className="muted">{say("loading")}</p>}
      {asked.isError && <Failed reason={asked.error.message} />}
      {asked.isSuccess && entries.length === 0 && <p className="muted">{say("nothing")}</p>}
      <ol className="top-list">
        {entries.map(({ value, label, count }) => (
          <li key={value}>
            <Link to={link(queryOf(list, value))}>
              <span className="line">
                <bdi>{clip(label ?? labels.value(list.field, value), 100)}</bdi>
              </span>
              <span className="number">{number(count)}</span>
              <i aria-hidden="true" style={{ width: `${(100 * count) / most}%` }} />
            </Link>
          </li>
        ))}
      </ol>
      {list.field === "country" && entries.length > 0 && <p className="muted">{say("not_located")}</p>}
    </Card>
  );
}

function Questions({ policy, span, link }: Part & { policy: Policy }) {
  if (policy.queries.length === 0) return null;
  return (
    <>
      <h2>{say("questions")}</h2>
      <div className="insight-lists">
        {policy.queries.map((question) => (
          <Question key={question.id} question={question} span={span} link={link} />
        ))}
      </div>
    </>
  );
}

/** A part of the screen under its own heading; `about` says more of what is asked there. */
export function Card({ title, about, children }: { title: string; about?: string | null; children: ReactNode }) {
  return (
    <section className="insight" aria-label={title}>
      <h2>
        <bdi>{clip(title, 200)}</bdi>
      </h2>
      {about && (
        <p className="muted">
          <bdi>{clip(about, 1_000)}</bdi>
        </p>
      )}
      {children}
    </section>
  );
}

/** Says of one part that its numbers could not be had, and why. The others stay. */
export function Failed({ reason }: { reason: string }) {
  return (
    <p className="notice" role="alert">
      {say("failed", { reason })}
    </p>
  );
}
