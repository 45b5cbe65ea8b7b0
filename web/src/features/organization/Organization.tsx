import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Client, Credentials } from "../../api/client";
import { Problem } from "../../api/problem";
import { ZoneContext } from "../../ui/useZone";
import { createZone } from "../../ui/zone";
import { Activity } from "../activity/Activity";
import { Unknown } from "./Unknown";

interface Props {
  client: Client;
  session: Credentials;
  onLeave: () => void;
}

/** One organization's screen, in the time zone of its policy; in UTC when the policy cannot be read. */
export function Organization({ client, session, onLeave }: Props) {
  const policy = useQuery({ queryKey: ["policy"], queryFn: ({ signal }) => client.policy(signal), staleTime: Number.POSITIVE_INFINITY });
  const id = policy.data?.time_zone ?? "UTC";
  const zone = useMemo(() => createZone(id), [id]);
  if (policy.isPending) {
    return (
      <main className="page muted" role="status">
        Loading…
      </main>
    );
  }
  if (policy.error instanceof Problem && policy.error.status === 404) {
    return <Unknown session={session} isLooking={policy.isFetching} onRetry={() => void policy.refetch()} onLeave={onLeave} />;
  }
  return (
    <ZoneContext value={zone}>
      <Activity client={client} organization={session.organization} onLeave={onLeave} />
    </ZoneContext>
  );
}
