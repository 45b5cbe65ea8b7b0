// A product's profile on the stage: a project of the profile's name, with the organization `demo` in it.
import { run } from "../../../web/e2e/stage.mjs";

/** Makes the project, by default of the profile's name, gives it the profile, and sends `events` of the organization to it. */
export async function setProfile(stage, profile, events, project = profile) {
  const of = ["--server", stage.address, "--key", stage.key];
  await run("project", "set", project, ...of);
  await run("profile", "apply", profile, "--project", project, ...of);
  await stage.call("POST", "/v1/events", { events: events.map((event) => ({ organization: "demo", ...event })) }, project);
}
