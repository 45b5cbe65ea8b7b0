import { createContext, useContext } from "react";
import { UTC, type Zone } from "./zone";

/** The zone of the organization's calendar days, in which everything on the screen is said. */
export const ZoneContext = createContext<Zone>(UTC);

/** The zone that the screen says its times in. */
export function useZone(): Zone {
  return useContext(ZoneContext);
}
