import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { createAlerts } from "../../api/alerts";
import { printRoute } from "../../route";
import { useScreen } from "../../screen";
import { usePlace } from "../../ui/place";

/** How often the list is read again. */
const AGAIN_MS = 15_000;

export const pathTo = (id: string | null) => printRoute({ screen: "alerts", id });

/** The alerts of the organization on the screen. */
export function useAlerts() {
  const { client, access } = useScreen();
  const { go } = usePlace();
  const queries = useQueryClient();
  const alerts = useMemo(() => createAlerts(client.transport, access.organization), [client, access]);
  return { alerts, goTo: (id: string | null) => go(pathTo(id)), again: () => queries.invalidateQueries({ queryKey: ["alerts"] }) };
}

export function useAlertList() {
  const { alerts } = useAlerts();
  return useQuery({ queryKey: ["alerts"], queryFn: ({ signal }) => alerts.list(signal), refetchInterval: AGAIN_MS });
}
