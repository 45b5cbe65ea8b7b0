import { useCallback } from "react";
import type { Filters } from "../../api/contract";
import { both } from "../../query/terms";
import { useAddress } from "../../query/useAddress";
import { useScreen } from "../../screen";
import { areReadsHidden } from "../activity/useActivity";

/** What another query would ask for where `filters` are asked for now: in the same range, and without reads where the list has none of them. */
export function useAsk({ from, to }: Filters): (query: string) => Filters {
  const { policy } = useScreen();
  const [{ reads }] = useAddress();
  return useCallback((query) => ({ q: areReadsHidden(policy, { query, reads }) ? both(query, "-type:read") : query.trim(), from, to }), [policy, reads, from, to]);
}
