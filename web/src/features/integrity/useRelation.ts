// Whether an event's proof is of the ledger that this browser has verified.
import { useQuery } from "@tanstack/react-query";
import { useScreen } from "../../screen";
import { consistencyOf } from "./consistency";
import { relate, type Relation } from "./ledger";
import { useMemory, useSeenNote } from "./memory";

/** How a proof's checkpoint, null while there is none, stands to the one that is kept; null until that is known. */
export function useRelation(note: string | null): Relation | null {
  const { client } = useScreen();
  const seen = useSeenNote(useMemory());
  const asked = useQuery({
    queryKey: ["relation", note, seen],
    queryFn: ({ signal }) => relate(note!, seen, consistencyOf(client, signal)),
    enabled: note !== null,
    staleTime: Number.POSITIVE_INFINITY,
    // The ledger grows while the event is looked at; until the next answer the last one of the same proof stands.
    placeholderData: (before, query) => (query?.queryKey[1] === note ? before : undefined),
  });
  return asked.isError ? "unknown" : (asked.data ?? null);
}
