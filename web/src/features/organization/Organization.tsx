import { useQuery } from "@tanstack/react-query";
import { lazy, useMemo } from "react";
import { Problem } from "../../api/problem";
import { createLabels, LabelsContext } from "../../event/labels";
import { ScreenContext, type Screen } from "../../screen";
import { Later } from "../../ui/Later";
import { ZoneContext } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { createZone } from "../../ui/zone";
import { Console } from "../console/Console";

const Refused = lazy(() => import("./Refused").then((found) => ({ default: found.Refused })));
const Unknown = lazy(() => import("./Unknown").then((found) => ({ default: found.Unknown })));
import en from "./words.en.json";

const say = wordsOf({ en });

/** One organization's screen, as its policy has it. Nothing of it is drawn before the server has given the policy, and with it leave to look. */
export function Organization(given: Omit<Screen, "policy">) {
  const { client, access, leave } = given;
  const policy = useQuery({ queryKey: ["policy"], queryFn: ({ signal }) => client.policy(signal), staleTime: Number.POSITIVE_INFINITY });
  const id = policy.data?.time_zone ?? "UTC";
  const zone = useMemo(() => createZone(id), [id]);
  const labels = useMemo(() => policy.data && createLabels(policy.data, zone), [policy.data, zone]);
  const screen = useMemo(() => policy.data && { ...given, policy: policy.data }, Object.values({ ...given, policy: policy.data }));
  if (policy.isPending) {
    return (
      <main className="page muted" role="status">
        {say("loading")}
      </main>
    );
  }
  const again = { isLooking: policy.isFetching, onRetry: () => void policy.refetch() };
  const problem = policy.error instanceof Problem ? policy.error : null;
  if (problem?.status === 404 && access.kind === "key") return <Later><Unknown access={access} {...again} onLeave={leave} /></Later>;
  // What was shown stays only where the server failed to answer; where it refused, it goes.
  if (screen === undefined || labels === undefined || (problem !== null && !problem.passing)) return <Later><Refused access={access} problem={problem} {...again} onLeave={leave} /></Later>;
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
