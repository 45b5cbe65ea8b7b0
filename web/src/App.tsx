import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { createClient, type Credentials } from "./api/client";
import { Problem } from "./api/problem";
import { Organization } from "./features/organization/Organization";
import { SignIn } from "./features/sign-in/SignIn";
import { load, readFragment, save } from "./features/sign-in/session";

/** The session's gate: the sign-in form, or the screen with a client and a cache of its own. */
export function App({ initial }: { initial: Credentials | null }) {
  const [session, setSession] = useState(initial);
  const enter = useCallback((next: Credentials | null) => {
    save(sessionStorage, next);
    setSession(next);
  }, []);

  useEffect(() => {
    const follow = () => {
      const named = takeFragment();
      if (named !== null) enter(named);
    };
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, [enter]);

  const room = useMemo(() => (session === null ? null : { client: createClient(session), queries: createQueries() }), [session]);
  if (session === null || room === null) return <SignIn onSession={enter} />;
  return (
    <QueryClientProvider key={session.organization} client={room.queries}>
      <Organization client={room.client} session={session} onLeave={() => enter(null)} />
    </QueryClientProvider>
  );
}

/** The session to begin with: what the fragment says, else what this tab has kept. */
export function firstSession(): Credentials | null {
  const named = takeFragment();
  if (named !== null) save(sessionStorage, named);
  return named ?? load(sessionStorage);
}

/** Reads credentials from the fragment and takes them out of the address bar and the history at once. */
function takeFragment(): Credentials | null {
  const named = readFragment(location.hash);
  if (/[#&](key|organization)=/.test(location.hash)) history.replaceState(null, "", location.pathname + location.search);
  return named;
}

function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, problem) => failures < 2 && problem instanceof Problem && problem.passing,
        refetchOnWindowFocus: false,
        staleTime: 5_000,
      },
    },
  });
}
