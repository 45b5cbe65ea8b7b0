import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useMemo, useState, type ReactNode } from "react";
import { createClient, type Access } from "./api/client";
import { Problem } from "./api/problem";
import { Organization } from "./features/organization/Organization";
import type { Screen } from "./screen";
import { PlaceContext, type Place } from "./ui/place";
import { locale } from "./ui/words";

interface Props {
  access: Access;
  place: Place;
  mode: Screen["mode"];
  /** Where the server is, when that is not the page's own origin. */
  server?: string;
  /** How it is called, when that is not `fetch`. */
  send?: typeof fetch;
  /** The zone of times in place of the organization's. */
  timeZone?: string | null;
  checkpointKey?: string | null;
  /** What stands above every part of the screen. */
  bar?: ReactNode;
  /** How to go to other organizations, where that can be. */
  organizations?: Screen["organizations"];
  onLeave: () => Promise<void>;
  /** The server does not take the access (any more). */
  onEnd: () => void;
}

/** One organization's log for one access, with a client and a cache of its own; wherever it is drawn. */
export function Viewer({ access, place, mode, server = "", send, timeZone = null, checkpointKey = null, bar = null, organizations = null, onLeave, onEnd }: Props) {
  const room = useMemo(() => ({ client: createClient(access, { server, onEnd, ...(send === undefined ? {} : { send }) }), queries: createQueries() }), [access, server, send, onEnd]);
  const [root, setRoot] = useState<HTMLElement | null>(null);
  return (
    <div className="trailbook" part="viewer" data-mode={mode} lang={locale()} ref={setRoot}>
      {root !== null && (
        <PlaceContext value={place}>
          <QueryClientProvider client={room.queries}>
            <Organization client={room.client} access={access} mode={mode} timeZone={timeZone} root={root} checkpointKey={checkpointKey} bar={bar} organizations={organizations} leave={onLeave} />
          </QueryClientProvider>
        </PlaceContext>
      )}
    </div>
  );
}

function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, problem) => failures < 2 && problem instanceof Problem && problem.passing,
        refetchOnWindowFocus: false,
        // Sharing copies objects member by member, and a member `__proto__` of an event's metadata would get lost on the way.
        structuralSharing: false,
        staleTime: 5_000,
      },
    },
  });
}
