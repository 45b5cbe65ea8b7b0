import { lazy, Suspense } from "react";
import { parseRoute, type Route } from "../../route";
import { useScreen } from "../../screen";
import { usePlace } from "../../ui/place";
import { Activity } from "../activity/Activity";

const Alerts = lazy(() => import("../alerts/Alerts"));
const Exports = lazy(() => import("../export/Exports"));
const Insights = lazy(() => import("../insights/Insights"));
const Integrity = lazy(() => import("../integrity/Integrity"));
const Profile = lazy(() => import("../profile/Profile"));
const Settings = lazy(() => import("../settings/Settings"));
const Streams = lazy(() => import("../streams/Streams"));
const Trace = lazy(() => import("../trace/Trace"));

/** The part of the screen that the path names, under the bar that leads to the others where there is one. */
export function Console() {
  const { bar } = useScreen();
  const { path } = usePlace();
  const route = parseRoute(path);
  return (
    <>
      {bar}
      <Suspense fallback={<main className="page" aria-busy="true" />}>
        <Part route={route} />
      </Suspense>
    </>
  );
}

function Part({ route }: { route: Route }) {
  switch (route.screen) {
    case "alerts":
      return <Alerts id={route.id} />;
    case "exports":
      return <Exports />;
    case "insights":
      return <Insights />;
    case "integrity":
      return <Integrity />;
    case "profile":
      return <Profile />;
    case "settings":
      return <Settings section={route.section} />;
    case "streams":
      return <Streams id={route.id} />;
    case "trace":
      return <Trace key={route.id} id={route.id} />;
    default:
      return <Activity />;
  }
}
