import { useCallback, useContext, useMemo } from "react";
import { PlaceContext, usePlace, type Step } from "../ui/place";
import { parseAddress, printAddress, type Address } from "./address";

/** The query's part of the place as state. */
export function useAddress(): [Address, (change: Partial<Address>, step?: Step) => void] {
  const { search, go } = usePlace();
  const place = useContext(PlaceContext);
  const address = useMemo(() => parseAddress(search), [search]);
  const change = useCallback(
    (wanted: Partial<Address>, step: Step = "push") => {
      // What was changed since this was drawn stays: the place itself is asked.
      const [path, now = ""] = place.read().split("?", 2);
      go(path + printAddress({ ...parseAddress(now), ...wanted }, now), step);
    },
    [place, go],
  );
  return [address, change];
}
