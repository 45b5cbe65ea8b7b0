import { lazy, Suspense, useState } from "react";
import type { Filters } from "../../api/contract";
import { useLabels } from "../../event/labels";
import type { Address } from "../../query/address";
import { Caret } from "../../ui/icons";
import { Popover } from "../../ui/Popover";
import { wordsOf } from "../../ui/words";
import en from "./button.en.json";

const say = wordsOf({ en });
const Export = lazy(() => import("./Export"));

interface Props {
  address: Address;
  filters: Filters;
  /** Ids of the columns on the screen; null is those of the policy. */
  columns: readonly string[] | null;
  /** How many events the ledger has had, null while unknown. */
  size: number | null;
  /** The query cannot be asked. */
  isFaulty: boolean;
  now: Date;
}

/** Files of all events or of the filtered ones. Nothing is filtered where only dates are chosen. */
export function ExportButton({ isFaulty, ...props }: Props) {
  const labels = useLabels();
  const [asked, setAsked] = useState<"all" | "filtered" | null>(null);
  const [isUsed, setUsed] = useState(false);
  const isFiltered = props.address.query.trim() !== "" && !isFaulty;
  const ask = (scope: "all" | "filtered", close: () => void) => {
    close();
    setAsked(scope);
    setUsed(true);
  };
  const label = (
    <>
      {labels.screen("export", say("export"))}
      <Caret />
    </>
  );
  return (
    <>
      {isUsed && (
        <Suspense fallback={null}>
          <Export {...props} asked={asked} onAsk={setAsked} />
        </Suspense>
      )}
      <Popover label={label} className="button primary" atEnd boxClassName="export-menu">
        {(close) => (
          <div className="menu">
            <button type="button" className="menu-item" onClick={() => ask("all", close)}>
              {labels.screen("export_all", say("all"))}
              <small className="muted">{say("all_about")}</small>
            </button>
            <button type="button" className="menu-item" disabled={!isFiltered} onClick={() => ask("filtered", close)}>
              {labels.screen("export_filtered", say("filtered"))}
              <small className="muted">{say(isFiltered ? "filtered_about" : "filtered_none")}</small>
            </button>
          </div>
        )}
      </Popover>
    </>
  );
}
