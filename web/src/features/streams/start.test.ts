import { expect, test } from "vitest";
import { createZone } from "../../ui/zone";
import { instantOf } from "./start";

test.each([
  ["UTC", "2026-11-20T09:30", "2026-11-20T09:30:00.000Z"],
  ["Asia/Kolkata", "2026-11-20T09:30", "2026-11-20T04:00:00.000Z"],
  ["Europe/London", "2026-07-01T00:00", "2026-06-30T23:00:00.000Z"],
  // Clocks went forward at one o'clock, and back at two.
  ["Europe/London", "2026-03-29T09:00", "2026-03-29T08:00:00.000Z"],
  ["Europe/London", "2026-10-25T09:00", "2026-10-25T09:00:00.000Z"],
  ["Europe/London", "2026-10-25T23:30", "2026-10-25T23:30:00.000Z"],
])("in %s the clocks show %s at %s", (zone, wall, instant) => expect(instantOf(wall, createZone(zone))).toBe(instant));
