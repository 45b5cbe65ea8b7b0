// The server's proof that one tree of the ledger continues another, as far as it gives one.
import type { Client } from "../../api/client";
import { Problem } from "../../api/problem";

/** Hashes in base64; null when whoever asks gets none, `"shorter"` when the server has no tree so large. */
export type Consistency = (from: number, to: number) => Promise<string[] | null | "shorter">;

const [BAD_REQUEST, FORBIDDEN] = [400, 403];

export function consistencyOf(client: Client, signal: AbortSignal): Consistency {
  return async (from, to) => {
    try {
      return (await client.consistency(from, to, signal)).hashes;
    } catch (reason) {
      if (reason instanceof Problem && reason.status === FORBIDDEN) return null;
      if (reason instanceof Problem && reason.status === BAD_REQUEST) return "shorter";
      throw reason;
    }
  };
}
