import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { createAdministration, type Administration } from "../../api/administration";
import { useScreen } from "../../screen";

/** The calls by which the organization on the screen is set up. */
export function useAdministration(): Administration {
  const { client, access } = useScreen();
  return useMemo(() => createAdministration(client.transport, access), [client, access]);
}

/** Something that the settings show, and `again` to read it anew after it was changed. */
export function useSetting<T>(name: string, read: (signal: AbortSignal) => Promise<T>) {
  const queries = useQueryClient();
  const query = useQuery({ queryKey: ["settings", name], queryFn: ({ signal }) => read(signal) });
  const again = () => queries.invalidateQueries({ queryKey: ["settings", name] });
  return { ...query, again };
}
