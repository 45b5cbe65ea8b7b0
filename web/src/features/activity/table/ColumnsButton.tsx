import { lazy, Suspense } from "react";
import type { Event } from "../../../api/contract";
import { Popover } from "../../../ui/Popover";
import { wordsOf } from "../../../ui/words";
import en from "./words.en.json";

const say = wordsOf({ en });
const ColumnChooser = lazy(() => import("./ColumnChooser"));

/** Opens the choice of columns; `events` are those on the screen, whose metadata can be columns too. */
export function ColumnsButton({ events }: { events: readonly Event[] }) {
  return (
    <Popover label={say("columns")} atEnd boxClassName="column-chooser">
      {() => (
        <Suspense>
          <ColumnChooser events={events} />
        </Suspense>
      )}
    </Popover>
  );
}
