// The viewer as a page that other pages frame: /embed/{organization}?project=…#token=…, the element and nothing else.
//
// Invariants
// - Only the token of the fragment counts, never the cookie of somebody who is signed in: a page that frames this one could make them click.
// - The token is taken out of the address at once. A page around that is asked for another one sets the frame's address anew: only its
//   fragment differs, so that nothing is loaded again.
import "./frame.css";
import "./trailbook-viewer";

/** What of the fragment are the element's attributes. */
const ATTRIBUTES = ["token", "locale", "time-zone", "theme", "columns", "query", "checkpoint-key"];
const EVENTS = ["trailbook-token-expired", "trailbook-event-open", "trailbook-query-change"];

const viewer = document.createElement("trailbook-viewer");
take();
viewer.setAttribute("src", location.origin);
viewer.setAttribute("organization", organizationOf(location.pathname));
const project = new URLSearchParams(location.search).get("project");
if (project !== null) viewer.setAttribute("project", project);
// Every page around is one that the organization's policy lists: the browser has asked for that before it showed this one.
for (const name of EVENTS) viewer.addEventListener(name, (event) => parent.postMessage({ type: name, detail: (event as CustomEvent).detail }, "*"));
window.addEventListener("hashchange", take);
document.body.append(viewer);

function take(): void {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ATTRIBUTES) {
    const value = given.get(name);
    if (value !== null) viewer.setAttribute(name, value);
  }
  if (given.has("token")) history.replaceState(null, "", location.pathname + location.search);
}

function organizationOf(path: string): string {
  const name = path.split("/").filter((part) => part !== "")[1] ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
