// Instants that somebody names by what the clocks of the organization's zone show.
import type { Zone } from "../../ui/zone";

const MINUTE = 60_000;

/** The instant of `2026-11-20T09:30` on the zone's clocks; where they skip that time, the one so long after the day's beginning. */
export function instantOf(wall: string, zone: Zone): string {
  const [day = "", clock = ""] = wall.split("T", 2);
  const wanted = minutesOf(clock);
  const uncorrected = zone.startOf(day).getTime() + wanted * MINUTE;
  // Clocks that were put forward or back since midnight show another time.
  const shown = minutesOf(zone.format(new Date(uncorrected), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
  const corrected = uncorrected + (wanted - shown) * MINUTE;
  return new Date(zone.dayOf(new Date(corrected)) === day && Math.abs(wanted - shown) < 180 ? corrected : uncorrected).toISOString();
}

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return hours * 60 + minutes;
}
