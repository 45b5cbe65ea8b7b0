import { lazy, Suspense, useRef, useState } from "react";
import type { Filters } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { Funnel } from "../../ui/icons";
import { wordsOf } from "../../ui/words";
import en from "./box.en.json";

const say = wordsOf({ en });

const FilterPanel = lazy(() => import("./FilterPanel"));

/** The class by which a key finds the button that adds a filter. */
export const ADD_FILTER = "add-filter";

interface Props {
  query: string;
  filters: Filters;
  onQuery: (query: string) => void;
  onClear: () => void;
}

/** Opens the policy's filters. */
export function FilterButton(props: Props) {
  const labels = useLabels();
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <>
      <button ref={button} type="button" className="button" aria-haspopup="dialog" aria-expanded={isOpen} onClick={() => setOpen(true)}>
        <Funnel />
        {labels.screen("filters", say("filter"))}
      </button>
      {isOpen && (
        <Suspense fallback={null}>
          <FilterPanel {...props} anchor={button} onClose={close} />
        </Suspense>
      )}
    </>
  );
}
