import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { createExports, type Export } from "../../api/exports";
import { useScreen } from "../../screen";
import { becameReady, pauseMsOf } from "./job";

/** One's exports, read again while one of them is under way, and those that have got ready meanwhile. */
export function useJobs() {
  const { client, access } = useScreen();
  const queries = useQueryClient();
  const exports = useMemo(() => createExports(client.transport, access.organization), [client, access]);
  const read = useQuery({
    queryKey: ["exports"],
    queryFn: ({ signal }) => exports.list(signal),
    refetchInterval: ({ state }) => pauseMsOf(state.data ?? [], Date.now()) ?? false,
  });
  return {
    read,
    ready: useReady(read.data),
    remove: async (id: string) => {
      await exports.remove(id);
      await queries.invalidateQueries({ queryKey: ["exports"] });
    },
  };
}

/** Those that were under way when they were seen last. */
function useReady(jobs: Export[] | undefined): Export[] {
  const seen = useRef<Export[]>([]);
  const [ready, setReady] = useState<Export[]>([]);
  useEffect(() => {
    if (jobs === undefined) return;
    const arrived = becameReady(seen.current, jobs);
    seen.current = jobs;
    if (arrived.length > 0) setReady(arrived);
  }, [jobs]);
  return ready;
}
