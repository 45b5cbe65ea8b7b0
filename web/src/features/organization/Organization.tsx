import { useQuery } from "@tanstack/react-query";
import { lazy, useMemo } from "react";
import { Problem } from "../../api/problem";
import { createLabels, LabelsContext } from "../../event/labels";
import { ScreenContext, type Screen } from "../../screen";
import { Later } from "../../ui/Later";
import { Loading } from "../../ui/Loading";
import { ZoneContext } from "../../ui/useZone";
import { createZone } from "../../ui/zone";
import { Console } from "../console/Console";
import { Refused } from "./Refused";

const Unknown = lazy(() => import("./Unknown"));

/** One organization's screen, as its policy has it. Nothing of it is drawn before the server has given the policy, and with it leave to look. */
export function Organization({ timeZone, ...given }: Omit<Screen, "policy"> & { timeZone: string | null }) {
  const { client, access, organizations, leave } = given;
  const policy = useQuery({ queryKey: ["policy"], queryFn: ({ signal }) => client.policy(signal), staleTime: Number.POSITIVE_INFINITY });
  const id = timeZone ?? policy.data?.time_zone ?? "UTC";
  const zone = useMemo(() => createZone(id), [id]);
  const labels = useMemo(() => policy.data && createLabels(policy.data, zone), [policy.data, zone]);
  const screen = useMemo(() => policy.data && { ...given, policy: policy.data }, Object.values({ ...given, policy: policy.data }));
  if (policy.isPending) return <Loading />;
  const again = { isLooking: policy.isFetching, organizations, onRetry: () => void policy.refetch() };
  const problem = policy.error instanceof Problem ? policy.error : null;
  if (problem?.status === 404 && access.kind === "key") {
    return (
      <Later>
        <Unknown access={access} {...again} onLeave={leave} />
      </Later>
    );
  }
  // What was shown stays only where the server failed to answer; where it refused, it goes.
  if (screen === undefined || labels === undefined || (problem !== null && !problem.passing)) return <Refused access={access} problem={problem} {...again} onLeave={given.mode === "console" ? leave : null} />;
  return (
    <ScreenContext value={screen}>
      <ZoneContext value={zone}>
        <LabelsContext value={labels}>
          <Console />
        </LabelsContext>
      </ZoneContext>
    </ScreenContext>
  );
}
