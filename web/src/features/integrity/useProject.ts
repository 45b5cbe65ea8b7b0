// Which project the ledger on the screen is of: with server and organization its name, by whatever way one came to it.
import { useQuery } from "@tanstack/react-query";
import { isOfDeployment, type Access } from "../../api/client";
import { projectOf } from "../../proof/checkpoint";
import { useScreen } from "../../screen";

/** Where sessions and the root key are unless they say otherwise. */
const DEFAULT_PROJECT = "default";

/** The project as far as it is known without the server's word; null when only the server knows what its key or token is of. */
export function knownProject(access: Access, checkpointKey: string | null): string | null {
  if (access.project !== null) return access.project;
  if (access.kind === "session" || isOfDeployment(access)) return DEFAULT_PROJECT;
  return checkpointKey === null ? null : projectOf(checkpointKey.split("+")[0]!, access.organization);
}

/** Null, once it is not pending, when nobody says. An API key or token without a project leaves it to the server to say which one it is of. */
export function useProject(): { isPending: boolean; data: string | null } {
  const { client, access, checkpointKey } = useScreen();
  const known = knownProject(access, checkpointKey);
  const named = useQuery({ queryKey: ["checkpoint-key"], queryFn: ({ signal }) => client.checkpointKey(signal), enabled: known === null, staleTime: 60_000 });
  if (known !== null) return { isPending: false, data: known };
  return { isPending: named.isPending, data: named.data === undefined ? null : projectOf(named.data.origin, access.organization) };
}
