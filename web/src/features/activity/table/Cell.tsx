import type { KeyboardEvent, ReactNode } from "react";
import type { Event } from "../../../api/contract";
import { useLabels } from "../../../event/labels";
import { clip, headAndTail, initials, isMachine } from "../../../event/words";
import { useScreen } from "../../../screen";
import { Avatar, ResultBadge, SecurityBadge } from "../../../ui/marks";
import { clock } from "../../../ui/time";
import { useZone } from "../../../ui/useZone";
import { wordsOf } from "../../../ui/words";
import { useCellActions } from "./actions";
import { activityValue, countryValue, linesOf, typeValue, type Value } from "./cells";
import type { Column } from "./columns";
import en from "./words.en.json";

const say = wordsOf({ en });

/** What the columns on the screen say between them, so that no cell repeats another. */
export interface Shown {
  /** The id of the column whose cells open the event. */
  opener: string;
  hasType: boolean;
  hasSecurity: boolean;
  hasCountry: boolean;
  hasResult: boolean;
}

export interface CellProps {
  column: Column;
  event: Event;
  shown: Shown;
  /** How long ago it happened, in words. */
  when: string;
  isSelected: boolean;
  /** −1 in rows that are not the current one: Tab goes through one row, arrow keys between rows. */
  tabIndex: 0 | -1;
  charactersMax: number;
}

/** One column of one event. */
export function Cell(props: CellProps) {
  switch (props.column.kind) {
    case "time":
      return <Time {...props} />;
    case "activity":
      return <Activity {...props} />;
    case "person":
      return <Person {...props} />;
    case "address":
      return <Address {...props} />;
    case "security":
      return <Security {...props} />;
    case "result":
      return <Result {...props} />;
    default:
      return <Plain {...props} />;
  }
}

function Time({ column, event, when, tabIndex, shown, isSelected }: CellProps) {
  const zone = useZone();
  const actions = useCellActions();
  const instant = column.template === "{occurred_at}" ? event.occurred_at : String(event[column.template.slice(1, -1) as "received_at"] ?? "");
  if (instant === "") return null;
  const text = (
    <time dateTime={instant}>
      {column.hasDate && <span className="date">{`${zone.format(new Date(instant), { day: "numeric", month: "short", year: "numeric" })}, `}</span>}
      {clock(instant, zone)}
    </time>
  );
  if (shown.opener === column.id) return <Two first={<Opener event={event} isSelected={isSelected} tabIndex={tabIndex} content={text} />} second={when} />;
  return (
    <Two
      first={
        <button
          type="button"
          className="value"
          tabIndex={tabIndex}
          onClick={(pressed) => (pressed.stopPropagation(), actions.tellTime(pressed.currentTarget, instant, "now"))}
          onPointerEnter={(over) => over.pointerType === "mouse" && actions.tellTime(over.currentTarget, instant, "later")}
          onPointerLeave={actions.hushTime}
          onFocus={(focused) => focused.currentTarget.matches(":focus-visible") && actions.tellTime(focused.currentTarget, instant, "soon")}
          onBlur={actions.hushTime}
        >
          {text}
        </button>
      }
      second={column.template === "{occurred_at}" ? when : ""}
    />
  );
}

function Activity({ column, event, shown, tabIndex, isSelected, charactersMax }: CellProps) {
  const labels = useLabels();
  const value = activityValue(event);
  const type = shown.hasType ? null : typeValue(event, labels);
  const text = <bdi>{clip(value.text, charactersMax)}</bdi>;
  const tags = (
    <>
      {type !== null && <ValueButton value={type} tabIndex={tabIndex} type={event.action_type} />}
      {!shown.hasResult && <ResultBadge result={event.result} />}
      {!shown.hasSecurity && event.security && <SecurityTag />}
      <UnknownTag action={event.action} />
    </>
  );
  const opener = <Opener event={event} isSelected={isSelected} tabIndex={tabIndex} content={text} />;
  return <Two first={shown.opener === column.id ? opener : <span className="line">{text}</span>} second={tags} />;
}

function Person(props: CellProps) {
  const labels = useLabels();
  const lines = linesOf(props.column, props.event, labels);
  const isNobody = ["anonymous", "unknown"].includes(props.event.actor?.type ?? "unknown");
  return (
    <div className="who">
      <Avatar letters={initials(isNobody ? "" : (lines.first[0]?.text ?? ""))} isMachine={isMachine(props.event.actor)} />
      <Lines {...props} />
    </div>
  );
}

function Address(props: CellProps) {
  const { event, shown, tabIndex } = props;
  const country = shown.hasCountry ? null : countryValue(event);
  return <Lines {...props} isMono second={country && <ValueButton value={country} tabIndex={tabIndex} />} />;
}

function Security({ event, tabIndex, shown, column, isSelected }: CellProps) {
  const labels = useLabels();
  const said = labels.at("security", event.security);
  const content = event.security ? <SecurityTag /> : said === "false" || said === "" ? null : <bdi>{clip(said, 60)}</bdi>;
  if (shown.opener === column.id) return <Opener event={event} isSelected={isSelected} tabIndex={tabIndex} content={content ?? "–"} />;
  return content;
}

function Result(props: CellProps) {
  return props.event.result === "success" || props.shown.opener === props.column.id ? <Lines {...props} /> : <ResultBadge result={props.event.result} />;
}

function Plain(props: CellProps) {
  return <Lines {...props} />;
}

/** The lines of a column's template, every value with what can be done with it. */
function Lines({ column, event, shown, tabIndex, isSelected, charactersMax, isMono = false, second }: CellProps & { isMono?: boolean; second?: ReactNode }) {
  const labels = useLabels();
  const lines = linesOf(column, event, labels);
  const type = column.kind === "type" ? event.action_type : undefined;
  const first =
    shown.opener === column.id ? (
      <Opener event={event} isSelected={isSelected} tabIndex={tabIndex} content={<bdi>{clip(lines.first.map(({ text }) => text).join(", ") || "–", charactersMax)}</bdi>} />
    ) : (
      <Values values={lines.first} tabIndex={tabIndex} isMono={isMono} type={type} charactersMax={charactersMax} />
    );
  const below = second ?? (
    <>
      <Values values={lines.second} tabIndex={tabIndex} separator=" · " charactersMax={charactersMax} />
      {lines.more > 0 && <span>{say("more", { count: lines.more })}</span>}
    </>
  );
  return <Two first={first} second={second === null || (second === undefined && lines.second.length === 0 && lines.more === 0) ? "" : below} />;
}

function Values({ values, tabIndex, separator = ", ", isMono, type, charactersMax }: { values: Value[]; tabIndex: 0 | -1; separator?: string; isMono?: boolean; type?: string | undefined; charactersMax: number }) {
  return (
    <span className={isMono ? "values mono" : "values"}>
      {values.map((value, place) => (
        <span className="value-place" key={place}>
          {place > 0 && <span className="separator">{separator}</span>}
          <ValueButton value={value} tabIndex={tabIndex} type={type} charactersMax={charactersMax} />
        </span>
      ))}
    </span>
  );
}

/** A value; where something can be asked of it, a button that offers what. */
function ValueButton({ value, tabIndex, type, charactersMax = 300 }: { value: Value; tabIndex: 0 | -1; type?: string | undefined; charactersMax?: number }) {
  const actions = useCellActions();
  const labels = useLabels();
  const text = clip(value.text, charactersMax);
  const [head, tail] = headAndTail(text);
  return (
    <button
      type="button"
      className={type === undefined ? "value ends" : "value ends type"}
      data-type={type}
      data-field={value.field ?? undefined}
      aria-haspopup="menu"
      aria-label={value.field === null ? undefined : `${labels.field(value.field)}: ${text}`}
      title={text}
      tabIndex={tabIndex}
      onClick={(pressed) => (pressed.stopPropagation(), actions.offer(pressed.currentTarget, value))}
      onKeyDown={(pressed) => isExclude(pressed) && (pressed.preventDefault(), actions.exclude(value))}
    >
      <bdi className="line">{head}</bdi>
      {tail !== "" && <bdi>{tail}</bdi>}
    </button>
  );
}

/** The row's own button: it opens the event, for the keyboard and for screen readers. What it says can be asked for too. */
function Opener({ event, isSelected, tabIndex, content }: { event: Event; isSelected: boolean; tabIndex: 0 | -1; content: ReactNode }) {
  const actions = useCellActions();
  const value = activityValue(event);
  return (
    <button
      type="button"
      className="open-event line"
      data-event={event.id}
      aria-pressed={isSelected}
      tabIndex={tabIndex}
      onContextMenu={(asked) => (asked.preventDefault(), actions.offer(asked.currentTarget, value))}
      onKeyDown={(pressed) => isExclude(pressed) && (pressed.preventDefault(), actions.exclude(value))}
    >
      {content}
    </button>
  );
}

function isExclude({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return key === "x" && !ctrlKey && !metaKey && !altKey;
}

function SecurityTag() {
  const own = useLabels().at("security", true);
  return own === "true" || own === "" ? <SecurityBadge /> : <SecurityBadge label={clip(own, 60)} />;
}

/** An action that the catalog does not have, where the policy wants such marked. */
function UnknownTag({ action }: { action: string }) {
  const { policy } = useScreen();
  const labels = useLabels();
  if (policy.unknown_actions !== "mark" || labels.isKnown(action)) return null;
  return <span className="badge plain">{say("not_in_catalog")}</span>;
}

function Two({ first, second }: { first: ReactNode; second: ReactNode }) {
  return (
    <div className="two">
      {first}
      {second !== "" && <small>{second}</small>}
    </div>
  );
}
