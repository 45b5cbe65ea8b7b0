import { useLayoutEffect } from "react";
import { parseDate, type CalendarDate } from "@internationalized/date";
import { Button } from "react-aria-components/Button";
import { I18nProvider } from "react-aria-components/I18nProvider";
import { CalendarCell, CalendarGrid, CalendarGridBody, CalendarGridHeader, CalendarHeaderCell, CalendarHeading, RangeCalendar, type DateValue } from "react-aria-components/RangeCalendar";
import { customRange, daysOf, keptSince, type Range } from "../../query/range";
import { useScreen } from "../../screen";
import { Next, Previous } from "../../ui/icons";
import { useZone } from "../../ui/useZone";
import { locale, wordsOf } from "../../ui/words";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  range: Range | null;
  now: Date;
  onRange: (range: Range) => void;
}

/** Two days, the last one included. Days further from the first than the policy allows cannot be chosen; those of which nothing is kept can, and look like it. */
export default function Calendar({ range, now, onRange }: Props) {
  const { policy } = useScreen();
  const zone = useZone();
  const today = zone.dayOf(now);
  const days = daysOf(range, now, zone, policy);
  const since = keptSince(now, zone, policy);
  const max = policy.max_range_days;
  useLayoutEffect(keepStylesOut, []);
  const isUnavailable = (day: DateValue, anchor: CalendarDate | null) => anchor !== null && max !== null && Math.abs(day.compare(anchor)) >= max;
  return (
    <I18nProvider locale={locale()}>
      <RangeCalendar
        className="calendar"
        aria-label={say("calendar")}
        defaultValue={days.from === "" ? null : { start: parseDate(days.from), end: parseDate(days.to === "" ? today : days.to) }}
        defaultFocusedValue={parseDate(days.to === "" ? today : days.to)}
        maxValue={parseDate(today)}
        isDateUnavailable={isUnavailable}
        commitBehavior="reset"
        onChange={({ start, end }) => onRange(customRange(start.toString(), end.toString()))}
      >
        <header>
          <Button slot="previous" className="icon-button" aria-label={say("earlier")}>
            <Previous />
          </Button>
          <CalendarHeading />
          <Button slot="next" className="icon-button" aria-label={say("later")}>
            <Next />
          </Button>
        </header>
        <CalendarGrid weekdayStyle="short">
          <CalendarGridHeader>{(day) => <CalendarHeaderCell>{day}</CalendarHeaderCell>}</CalendarGridHeader>
          <CalendarGridBody>{(day) => <CalendarCell date={day} className="calendar-day number" data-expired={since !== null && day.toString() < since ? "" : undefined} />}</CalendarGridBody>
        </CalendarGrid>
      </RangeCalendar>
    </I18nProvider>
  );
}

/**
 * The library would write a <style> into the page, which the page's content security policy refuses with a complaint; it does not
 * where an element of that id stands already. What the style says is in range.css.
 */
function keepStylesOut(): void {
  const id = "react-aria-pressable-style";
  if (document.getElementById(id) !== null) return;
  const mark = document.createElement("meta");
  mark.id = id;
  document.head.append(mark);
}
