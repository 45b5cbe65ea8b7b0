// Which part of the screen a path names.

export const SETTINGS = ["organization", "users", "keys", "tokens", "single-sign-on", "catalog"] as const;
export type SettingsSection = (typeof SETTINGS)[number];

export type Route =
  | { screen: "activity" }
  | { screen: "insights" }
  | { screen: "integrity" }
  | { screen: "exports" }
  /** All of them; or one by its id, or `new`. */
  | { screen: "streams" | "alerts"; id: string | null }
  | { screen: "trace"; id: string }
  | { screen: "settings"; section: SettingsSection }
  | { screen: "profile" };

const ACTIVITY: Route = { screen: "activity" };

/** The route of a path; what no route has is the activity. */
export function parseRoute(path: string): Route {
  const [first, second] = path.split("/").filter((part) => part !== "");
  switch (first) {
    case "insights":
    case "integrity":
    case "exports":
    case "profile":
      return { screen: first };
    case "streams":
    case "alerts":
      return { screen: first, id: second === undefined ? null : decode(second) };
    case "traces":
      return second === undefined ? ACTIVITY : { screen: "trace", id: decode(second) };
    case "settings":
      return { screen: "settings", section: SETTINGS.find((each) => each === second) ?? "organization" };
    default:
      return ACTIVITY;
  }
}

export function printRoute(route: Route): string {
  switch (route.screen) {
    case "activity":
      return "/";
    case "trace":
      return `/traces/${encodeURIComponent(route.id)}`;
    case "settings":
      return `/settings/${route.section}`;
    case "streams":
    case "alerts":
      return `/${route.screen}${route.id === null ? "" : `/${encodeURIComponent(route.id)}`}`;
    default:
      return `/${route.screen}`;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
