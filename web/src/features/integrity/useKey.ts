// The key that checkpoints are checked with: the host's, else the reader's, else the one that the server names.
import { useQuery } from "@tanstack/react-query";
import { useScreen } from "../../screen";
import { useMemory, usePinned } from "./memory";
import { useProject } from "./useProject";

export interface Key {
  vkey: string;
  /** On whose word. A server's word for its own key only shows that it agrees with itself. */
  trust: "host" | "reader" | "server";
}

/** The key, once it is known. Null data is a server that names none. */
export function useKey(): { isPending: boolean; data: Key | null } {
  const { client, checkpointKey } = useScreen();
  const project = useProject();
  const pinned = usePinned(useMemory());
  const given: Key | null = checkpointKey !== null ? { vkey: checkpointKey, trust: "host" } : pinned !== null ? { vkey: pinned, trust: "reader" } : null;
  const named = useQuery({ queryKey: ["checkpoint-key"], queryFn: ({ signal }) => client.checkpointKey(signal), enabled: given === null, staleTime: 60_000 });
  // Until it is known which ledger this is, it is not known what the reader pinned.
  if (project.isPending) return { isPending: true, data: null };
  if (given !== null) return { isPending: false, data: given };
  return { isPending: named.isPending, data: named.data === undefined ? null : { vkey: named.data.vkey, trust: "server" } };
}
