import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { createViews, type View, type Views } from "../../api/views";
import type { Address } from "../../query/address";
import { useScreen } from "../../screen";
import { addressOf, isBare } from "./view";

/** The calls for saved views of the organization on the screen. */
export function useViews(): Views {
  const { client, access } = useScreen();
  return useMemo(() => createViews(client.transport, access.organization), [client, access]);
}

/** The view that the address names, opened on the server, which records that; null when there is none, or it is not there for this reader. */
export function useView(address: Address, onAddress: (change: Partial<Address>, step: "replace") => void): View | null {
  const views = useViews();
  const id = address.view;
  const view = useQuery({ queryKey: ["view", id], queryFn: ({ signal }) => views.open(id!, signal), enabled: id !== null, retry: false, staleTime: Number.POSITIVE_INFINITY });
  const opened = useRef<string | null>(null);
  const found = id === null ? null : (view.data ?? null);
  useEffect(() => {
    if (found === null || opened.current === found.id) return;
    opened.current = found.id;
    // A link may name the view alone; what an address says beside it counts.
    if (isBare(address)) onAddress(addressOf(found), "replace");
  }, [found, address, onAddress]);
  return found;
}
