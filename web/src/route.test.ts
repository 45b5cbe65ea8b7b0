// Paths and the parts of the screen that they name.
import { expect, test } from "vitest";
import { parseRoute, printRoute } from "./route";

test.each(["/", "/insights", "/integrity", "/traces/a%2Fb%20c", "/settings/users", "/profile", "/exports", "/streams", "/streams/new", "/alerts/a%2Fb"])("%s is read back", (path) => expect(printRoute(parseRoute(path))).toBe(path));

test.each(["", "/nowhere", "/traces", "//"])("%s is the activity", (path) => expect(parseRoute(path)).toEqual({ screen: "activity" }));

test("settings begin with the organization, and a broken escape is text", () => {
  expect(parseRoute("/settings")).toEqual({ screen: "settings", section: "organization" });
  expect(parseRoute("/traces/%E0")).toEqual({ screen: "trace", id: "%E0" });
});
