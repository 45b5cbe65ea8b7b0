import { useContext, useEffect } from "react";
import { PlaceContext } from "./place";

/** Calls the browser's tab so, where the page is ours. */
export function useTitle(title: string): void {
  const place = useContext(PlaceContext);
  useEffect(() => place.entitle(`${title} · Trailbook`), [place, title]);
}
