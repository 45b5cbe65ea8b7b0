import { expect, test } from "vitest";
import type { Condition } from "../../api/alerts";
import { conditionWords, NEW_FIELDS, placeOfEvents, QUIET, readAlert, readCondition, spans } from "./condition";

const typed = (fields: Record<string, string>) => (name: string) => fields[name] || undefined;

test.each<[Record<string, string>, Condition]>([
  [{ "condition/type": "any", "condition/count": "7" }, { type: "any" }],
  [{ "condition/type": "threshold", "condition/count": "5", "condition/window_seconds": "900", "condition/by": "ip" }, { type: "threshold", count: 5, window_seconds: 900, by: "ip" }],
  [{ "condition/type": "threshold", "condition/count": "5", "condition/window_seconds": "60" }, { type: "threshold", count: 5, window_seconds: 60, by: null }],
  [{ "condition/type": "first_seen", "condition/field": "country" }, { type: "first_seen", field: "country" }],
  [{ "condition/type": "digest", "condition/every": "week" }, { type: "digest", every: "week" }],
])("%o is %o", (fields, condition) => expect(readCondition(typed(fields))).toEqual(condition));

test("an alert is sent as it is typed, and a secret that is not typed stays", () => {
  const fields = { name: "Deletions", filter: "type:delete", "condition/type": "any", quiet_seconds: "0", emails: "a@x.example\n\nb@x.example ", "webhook/url": "https://hook.example", "webhook/headers": "A: 1", enabled: "on" };
  const alert = { name: "Deletions", filter: "type:delete", condition: { type: "any" }, quiet_seconds: 0, emails: ["a@x.example", "b@x.example"], webhook: { url: "https://hook.example", headers: { A: "1" } }, secrets: {}, enabled: true };
  expect(readAlert(typed(fields), true, false)).toEqual(alert);
  expect(readAlert(typed({ ...fields, "secrets/secret": "whsec_1", enabled: "" }), true, false)).toEqual({ ...alert, secrets: { secret: "whsec_1" }, enabled: false });
  expect(readAlert(typed(fields), false, true)).toEqual({ ...alert, webhook: null, secrets: { secret: null } });
});

test("what is set is offered, whatever is usual", () => {
  expect(spans(QUIET, 3600)).toEqual(QUIET);
  expect(spans([60, 300], 90)).toEqual([60, 90, 300]);
});

test.each<[Condition, string]>([
  [{ type: "any" }, "Every event that matches"],
  [{ type: "threshold", count: 5, window_seconds: 900, by: null }, "5 events or more within 15 min"],
  [{ type: "threshold", count: 5, window_seconds: 7200, by: "ip" }, "5 events or more within 2 h of the same: IP address"],
  [{ type: "first_seen", field: "country" }, "Something new about somebody: country"],
  [{ type: "digest", every: "day" }, "A digest every day"],
])("%o is said as %s", (condition, words) => expect(conditionWords(condition, (field) => (field === "ip" ? "IP address" : field))).toBe(words));

test("no person is new to themselves", () => expect(NEW_FIELDS).not.toContain("actor"));

test("the link of an alert opens this page at its events, wherever the server is reached", () => {
  expect(placeOfEvents({ link: "https://log.example/?q=type%3Adelete&range=7d", filter: "type:delete" })).toBe("/?q=type%3Adelete&range=7d");
  expect(placeOfEvents({ link: null, filter: "type:delete" })).toBe("/?q=type%3Adelete");
});
