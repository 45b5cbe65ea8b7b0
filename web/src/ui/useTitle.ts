import { useEffect } from "react";

/** Calls the browser's tab so. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Trailbook`;
  }, [title]);
}
