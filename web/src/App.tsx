// The gate in front of the console.
import { lazy, useCallback, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { createAuth } from "./api/auth";
import type { Access } from "./api/client";
import { Inside, withoutChoice } from "./features/console/Inside";
import { readTheme } from "./features/console/theme";
import { hasSecret, load, readFragment, save, sessionAccess } from "./features/sign-in/session";
import type { Notice, Way } from "./features/sign-in/SignIn";
import { Starting } from "./features/sign-in/Starting";
import { subscribe } from "./ui/kept";
import { Later } from "./ui/Later";
import { browserPlace, PlaceContext } from "./ui/place";

// Whoever comes in with a session or a link needs none of these. What says that the server cannot be reached is not among them: it could not come.
const SignIn = lazy(() => import("./features/sign-in/SignIn"));
const ChoosePassword = lazy(() => import("./features/sign-in/ChoosePassword"));

export type View =
  /** Whether somebody is signed in is being asked. */
  | { kind: "starting" }
  | { kind: "outside"; way: Way; notice: Notice | null }
  | { kind: "choosing"; secret: string }
  | { kind: "inside"; access: Access };

type Outside = Extract<View, { kind: "outside" }>;

const OUTSIDE: Outside = { kind: "outside", way: "password", notice: null };

/** Where somebody is whose access the server does not take any more. */
function ended({ kind }: Access): Outside {
  return { ...OUTSIDE, way: kind === "key" ? "key" : "password", notice: `${kind}_over` };
}

const auth = createAuth();
const ofTab = () => sessionStorage;

/** The gate: who is looking decides between the ways in and the screen, which the rest of the page is. */
export function App({ initial }: { initial: View }) {
  const theme = useSyncExternalStore(subscribe, readTheme);
  useEffect(() => void (document.documentElement.dataset["theme"] = theme), [theme]);
  const [view, setView] = useState(initial);
  const place = useContext(PlaceContext);
  const access = view.kind === "inside" ? view.access : null;
  useEffect(() => save(ofTab, access === null || access.kind === "session" ? null : access), [access]);
  useArrivals(access, setView);

  const enter = useCallback((next: Access) => setView({ kind: "inside", access: next }), []);
  const leave = useCallback(async () => {
    if (access?.kind === "session") await auth.signOut();
    // Whoever comes next chooses for themselves.
    place.go(withoutChoice(place), "replace");
    setView(access?.kind === "key" ? { ...OUTSIDE, way: "key" } : OUTSIDE);
  }, [access, place]);
  const end = useCallback(() => setView((now) => (now.kind === "inside" && now.access === access ? ended(now.access) : now)), [access]);

  if (view.kind === "inside") return <Inside access={view.access} place={place} onLeave={leave} onEnd={end} />;
  if (view.kind === "starting") {
    return <Starting auth={auth} onAnswer={(signedIn) => (signedIn === null ? setView(OUTSIDE) : enter(sessionAccess(signedIn)))} />;
  }
  // Around these alone: what a boundary has shown stays in the page, unseen, while it waits, and a log must not.
  return (
    <Later>
      {view.kind === "choosing" ? (
        <ChoosePassword key={view.secret} auth={auth} secret={view.secret} onDone={() => setView({ ...OUTSIDE, notice: "password_set" })} onLeave={() => setView({ kind: "starting" })} />
      ) : (
        <SignIn key={`${view.way} ${view.notice}`} auth={auth} first={view.way} notice={view.notice} onAccess={enter} />
      )}
    </Later>
  );
}

/** What the page begins with: what the fragment brings, else what this tab has kept, else the browser's session if there is one. */
export function firstView(): View {
  const brought = takeFragment();
  if (brought !== null) return brought;
  const kept = load(ofTab);
  return kept === null ? { kind: "starting" } : { kind: "inside", access: kept };
}

/** Follows links into the open page, and asks anew who is signed in when the browser brings a left page back as it was. */
function useArrivals(access: Access | null, onView: (view: View) => void) {
  useEffect(() => {
    const follow = () => {
      const brought = takeFragment();
      if (brought !== null) onView(brought);
    };
    const returned = ({ persisted }: PageTransitionEvent) => {
      if (persisted && access?.kind === "session") onView({ kind: "starting" });
    };
    window.addEventListener("hashchange", follow);
    window.addEventListener("pageshow", returned);
    return () => {
      window.removeEventListener("hashchange", follow);
      window.removeEventListener("pageshow", returned);
    };
  }, [access, onView]);
}

/** Reads the fragment and takes secrets out of the address bar and the history at once. */
function takeFragment(): View | null {
  const brought = readFragment(location.hash);
  // A letter's page is nothing without its secret: what is left is the page itself.
  if (hasSecret(location.hash)) history.replaceState(null, "", brought?.kind === "letter" ? "/" : withoutChoice(browserPlace()));
  if (brought === null) return null;
  return brought.kind === "letter" ? { kind: "choosing", secret: brought.secret } : { kind: "inside", access: brought.access };
}
