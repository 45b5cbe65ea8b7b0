// Paper: the list on the screen has only the rows in sight, so that what is printed is drawn for printing alone.
import { useQuery } from "@tanstack/react-query";
import { useContext, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { useScreen } from "../../screen";
import { PlaceContext } from "../../ui/place";

type Sheet = typeof import("./PrintSheet").default;

/** What draws the paper while the page is being printed, since when, and the checkpoint that stands on it; null at other times, and in a page that is not ours. */
export function usePrinting(): { Sheet: Sheet; checkpoint: string | null; at: Date } | null {
  const { client } = useScreen();
  const isOurs = useContext(PlaceContext).link("/") !== null;
  const [Sheet, setSheet] = useState<{ draw: Sheet } | null>(null);
  const [at, setAt] = useState<Date | null>(null);
  const checkpoint = useQuery({ queryKey: ["checkpoint"], queryFn: ({ signal }) => client.checkpoint(signal), enabled: isOurs, retry: false });
  useEffect(() => {
    // Printing does not wait, so what draws it is fetched before.
    if (isOurs) void import("./PrintSheet").then((found) => setSheet({ draw: found.default }), () => undefined);
  }, [isOurs]);
  useEffect(() => {
    if (!isOurs) return;
    const begin = () => flushSync(() => setAt(new Date()));
    const end = () => setAt(null);
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
    return () => {
      window.removeEventListener("beforeprint", begin);
      window.removeEventListener("afterprint", end);
    };
  }, [isOurs]);
  return at === null || Sheet === null ? null : { Sheet: Sheet.draw, checkpoint: checkpoint.data ?? null, at };
}
