import { useQuery } from "@tanstack/react-query";
import type { Client } from "../../api/client";
import { parseCheckpoint } from "../../proof/checkpoint";
import { useScreen } from "../../screen";
import { consistencyOf } from "./consistency";
import { examine, type Finding } from "./ledger";
import { useMemory, type Memory, type Seen } from "./memory";
import { useKey } from "./useKey";

/** A ledger grows while it is looked at. */
const LOOK_AGAIN_MS = 60_000;

export interface Look {
  finding: Finding;
  /** The signed note as it came. */
  note: string;
  /** When it came, milliseconds since 1970. */
  at: number;
  /** When the one was seen that it had to continue; null when there was none. */
  before: number | null;
}

/** The ledger's newest checkpoint, judged here; what held is what the next look must continue. */
export function useLedger() {
  const { client } = useScreen();
  const memory = useMemory();
  const key = useKey();
  const vkey = key.data?.vkey ?? null;
  return useQuery({
    queryKey: ["ledger", vkey],
    queryFn: ({ signal }) => look(client, memory, vkey, signal),
    enabled: !key.isPending && globalThis.isSecureContext,
    refetchInterval: LOOK_AGAIN_MS,
    staleTime: LOOK_AGAIN_MS / 2,
  });
}

async function look(client: Client, memory: Memory, vkey: string | null, signal: AbortSignal): Promise<Look> {
  const note = await client.checkpoint(signal);
  const at = Date.now();
  const seen = memory.seen();
  const finding = await examine({ note, vkey, seen: seen?.note ?? null, consistency: consistencyOf(client, signal) });
  // In another tab more may have been seen meanwhile; what is smaller never takes its place.
  if (finding.kind === "verified" && finding.checkpoint.size >= sizeOf(memory.seen())) memory.remember({ note, at, first: seen?.first ?? { size: finding.checkpoint.size, at } });
  return { finding, note, at, before: seen?.at ?? null };
}

function sizeOf(seen: Seen | null): number {
  return seen === null ? 0 : (parseCheckpoint(seen.note)?.size ?? 0);
}
