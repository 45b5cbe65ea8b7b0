import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Access, Client } from "../../api/client";
import { Problem } from "../../api/problem";
import { ZoneContext } from "../../ui/useZone";
import { createZone } from "../../ui/zone";
import { Activity } from "../activity/Activity";
import { Refused } from "./Refused";
import { Unknown } from "./Unknown";

interface Props {
  client: Client;
  access: Access;
  onLeave: () => Promise<void>;
}

/** One organization's screen, as its policy has it. Nothing of it is drawn before the server has given the policy, and with it leave to look. */
export function Organization({ client, access, onLeave }: Props) {
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
  const again = { isLooking: policy.isFetching, onRetry: () => void policy.refetch() };
  const problem = policy.error instanceof Problem ? policy.error : null;
  if (problem?.status === 404 && access.kind === "key") return <Unknown access={access} {...again} onLeave={onLeave} />;
  // What was shown stays only where the server failed to answer; where it refused, it goes.
  if (policy.data === undefined || (problem !== null && !problem.passing)) return <Refused access={access} problem={problem} {...again} onLeave={onLeave} />;
  return (
    <ZoneContext value={zone}>
      <Activity client={client} access={access} policy={policy.data} onLeave={onLeave} />
    </ZoneContext>
  );
}
