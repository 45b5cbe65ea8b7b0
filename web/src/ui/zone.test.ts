import { expect, test } from "vitest";
import { addDays, createZone, daysBetween } from "./zone";

test.each([
  ["UTC", "2026-11-20", "2026-11-20T00:00:00.000Z"],
  ["Europe/London", "2026-07-01", "2026-06-30T23:00:00.000Z"],
  ["Asia/Kolkata", "2026-11-20", "2026-11-19T18:30:00.000Z"],
  ["Pacific/Kiritimati", "2026-11-20", "2026-11-19T10:00:00.000Z"],
  // Clocks went from midnight to one: the day began at one.
  ["Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00.000Z"],
  // Clocks went from one back to midnight: the day began at the first midnight.
  ["America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z"],
])("in %s the day %s begins at %s", (id, day, want) => {
  const zone = createZone(id);
  expect(zone.startOf(day).toISOString()).toBe(want);
  expect(zone.dayOf(zone.startOf(day))).toBe(day);
  expect(zone.dayOf(new Date(zone.startOf(day).getTime() - 1))).toBe(addDays(day, -1));
});

test("a zone that the browser does not know is UTC", () => expect(createZone("Mars/Olympus").id).toBe("UTC"));

test("days are counted across months and leap years", () => {
  expect(addDays("2024-02-28", 2)).toBe("2024-03-01");
  expect(addDays("2026-01-01", -1)).toBe("2025-12-31");
  expect(daysBetween("2024-02-28", "2024-03-01")).toBe(2);
});

test("names are those of the moment", () => {
  const zone = createZone("Europe/London");
  expect([zone.nameAt(new Date("2026-07-01T00:00:00Z")), zone.nameAt(new Date("2026-12-01T00:00:00Z"))]).toEqual(["BST", "GMT"]);
});
