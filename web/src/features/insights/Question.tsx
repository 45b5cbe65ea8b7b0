import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { Aggregate, Metric, QuerySetting } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip, sentenceCase } from "../../event/words";
import type { Range } from "../../query/range";
import { useScreen } from "../../screen";
import { Link } from "../../ui/Link";
import { useZone } from "../../ui/useZone";
import { number, wordsOf } from "../../ui/words";
import { barLabel } from "../histogram/bars";
import { Card, Failed, type Span } from "./Insights";
import { aggregationOf, queryOfMetric } from "./questions";
import { Trend } from "./Trend";
import en from "./words.en.json";

const say = wordsOf({ en });

const GROUPS_MAX = 8;

interface Props {
  question: QuerySetting;
  span: Span;
  link: (query: string, range?: Range | null) => string;
}

/** A question that the product has set up: one number with those it is reckoned from, a number for each group, or one over time. */
export function Question({ question, span, link }: Props) {
  const { client } = useScreen();
  const asked = useQuery({
    queryKey: ["insights", "question", question.id, span],
    queryFn: ({ signal }) => client.aggregate(aggregationOf(question, span), signal),
    placeholderData: keepPreviousData,
  });
  return (
    <Card title={question.label} about={question.about}>
      {asked.isPending && <p className="muted">{say("loading")}</p>}
      {asked.isError && <Failed reason={asked.error.message} />}
      {asked.data !== undefined && <Answer question={question} answer={asked.data} link={link} />}
    </Card>
  );
}

function Answer({ question, answer, link }: { question: QuerySetting; answer: Aggregate; link: Props["link"] }) {
  const { interval, group_by = [] } = question.aggregate;
  if (answer.rows.length === 0) return <p className="muted">{say("nothing")}</p>;
  if (interval !== undefined) return <OverTime question={question} answer={answer} link={link} />;
  return group_by.length > 0 ? <ByGroup question={question} answer={answer} link={link} /> : <Numbers question={question} metrics={answer.rows[0]!.metrics} link={link} />;
}

/** The answer large, the other metrics under it. */
function Numbers({ question, metrics, link }: { question: QuerySetting; metrics: Record<string, number | null>; link: Props["link"] }) {
  const asked = question.aggregate.metrics;
  const [main, others] = [asked.find((metric) => metric.name === question.show), asked.filter((metric) => metric.name !== question.show)];
  return (
    <>
      {main !== undefined && (
        <p className="answer number">
          <Link to={link(queryOfMetric(question, main))}>{shown(question, main, metrics[main.name])}</Link> <span className="muted">{question.as === "number" && sentenceCase(main.name)}</span>
        </p>
      )}
      <dl className="metrics">
        {others.map((metric) => (
          <div key={metric.name}>
            <dt>{sentenceCase(metric.name)}</dt>
            <dd className="number">
              <Link to={link(queryOfMetric(question, metric))}>{shown(question, metric, metrics[metric.name])}</Link>
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function ByGroup({ question, answer, link }: { question: QuerySetting; answer: Aggregate; link: Props["link"] }) {
  const labels = useLabels();
  const metric = question.aggregate.metrics.find(({ name }) => name === question.show);
  if (metric === undefined) return null;
  const rows = [...answer.rows].sort((left, right) => (right.metrics[metric.name] ?? 0) - (left.metrics[metric.name] ?? 0)).slice(0, GROUPS_MAX);
  const most = Math.max(Number.MIN_VALUE, ...rows.map((row) => row.metrics[metric.name] ?? 0));
  return (
    <ol className="top-list">
      {rows.map((row) => {
        const name = Object.entries(row.group).map(([field, value]) => (value === null ? say("none") : labels.value(field, String(value))));
        return (
          <li key={JSON.stringify(row.group)}>
            <Link to={link(queryOfMetric(question, metric, row.group))}>
              <span className="line">
                <bdi>{clip(name.join(" · "), 100)}</bdi>
              </span>
              <span className="number">{shown(question, metric, row.metrics[metric.name])}</span>
              <i aria-hidden="true" style={{ width: `${(100 * (row.metrics[metric.name] ?? 0)) / most}%` }} />
            </Link>
          </li>
        );
      })}
    </ol>
  );
}

function OverTime({ question, answer, link }: { question: QuerySetting; answer: Aggregate; link: Props["link"] }) {
  const zone = useZone();
  const interval = question.aggregate.interval!;
  const metric = question.aggregate.metrics.find(({ name }) => name === question.show);
  const rows = answer.rows.filter((row) => row.start !== undefined).sort((left, right) => (left.start! < right.start! ? -1 : 1));
  if (metric === undefined) return null;
  return (
    <Trend
      bars={rows.map((row) => ({ start: row.start!, value: row.metrics[metric.name] ?? null }))}
      interval={interval}
      to={answer.range.to}
      name={(start) => barLabel(start, interval, zone)}
      show={(value) => shown(question, metric, value)}
      link={(range) => link(queryOfMetric(question, metric), range)}
    />
  );
}

/** Percent is what the question says of its answer; the metrics that it is reckoned from are numbers. */
function shown(question: QuerySetting, metric: Metric, value: number | null | undefined): string {
  if (value === null || value === undefined) return say("none");
  const isPercent = question.as === "percent" && metric.name === question.show;
  return number(value, isPercent ? { style: "percent", maximumFractionDigits: 1 } : { maximumFractionDigits: 1 });
}
