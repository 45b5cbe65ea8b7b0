import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { isOfDeployment } from "../../api/client";
import { createStreams } from "../../api/streams";
import { printRoute } from "../../route";
import { useScreen } from "../../screen";
import { usePlace } from "../../ui/place";

/** Whose streams are shown: the organization's, or those of the whole project. */
export type Owner = "organization" | "project";

/** How often the list is read again: as often as somebody looks whether it has changed. */
const AGAIN_MS = 10_000;

/** The streams on the screen: whose they are is in the address, and every link among them keeps it. */
export function useStreams() {
  const { client, access } = useScreen();
  const { search, go } = usePlace();
  const queries = useQueryClient();
  const owner: Owner = new URLSearchParams(search).get("of") === "project" ? "project" : "organization";
  const organization = owner === "project" ? null : access.organization;
  const streams = useMemo(() => createStreams(client.transport, organization), [client, organization]);
  const pathTo = (id: string | null, of: Owner = owner) => printRoute({ screen: "streams", id }) + (of === "project" ? "?of=project" : "");
  return {
    streams,
    owner,
    /** The server refuses those who may not; of a key of its own kind this page cannot know. */
    maySeeProject: access.kind === "key" || isOfDeployment(access),
    pathTo,
    goTo: (id: string | null) => go(pathTo(id)),
    again: () => queries.invalidateQueries({ queryKey: ["streams", owner] }),
  };
}

export function useStreamList() {
  const { streams, owner } = useStreams();
  return useQuery({ queryKey: ["streams", owner], queryFn: ({ signal }) => streams.list(signal), refetchInterval: AGAIN_MS });
}
