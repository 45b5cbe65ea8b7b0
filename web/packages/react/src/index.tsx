// <TrailbookViewer>: the element <trailbook-viewer> for React. The element itself comes from the Trailbook server, so that it always fits
// the server's version; this adds its script to the page, and hands on properties and events.
import { createElement, useCallback, useEffect, useLayoutEffect, useRef, type CSSProperties, type ReactElement } from "react";

export interface TrailbookViewerProps {
  /** Where the Trailbook server is: `https://audit.example.com`. */
  src: string;
  /** Whose log it is. */
  organization: string;
  /** The organization's project, when the server has several. */
  project?: string;
  /** Gives a viewer token, which your own server makes. Called at first, and whenever the last one is over. */
  getToken?: () => Promise<string | null> | string | null;
  /** A viewer token, in place of `getToken`. */
  token?: string;
  /** Language of the screen, BCP 47. */
  locale?: string;
  /** IANA zone of times, in place of the organization's. */
  timeZone?: string;
  /** Without it the reader's system decides. */
  theme?: "light" | "dark";
  /** Ids of the columns to show. */
  columns?: readonly string[];
  /** What is searched, in the query language. */
  query?: string;
  /** The key that the log's checkpoints must be signed with, as `trailbook.example.com+0a1b2c3d+…`. */
  checkpointKey?: string;
  /** A token is needed: the first one, or another. With `getToken` there is nothing to do. */
  onTokenExpired?: () => void;
  onEventOpen?: (opened: { id: string }) => void;
  /** The reader has changed what is searched. `range` is as in the address of the console; null is the policy's default. */
  onQueryChange?: (changed: { query: string; range: string | null }) => void;
  className?: string;
  style?: CSSProperties;
}

type Element = HTMLElement & { getToken: TrailbookViewerProps["getToken"] };

const loaded = new Set<string>();

/** The log of one organization. */
export function TrailbookViewer(props: TrailbookViewerProps): ReactElement {
  const { src, organization, project, token, locale, timeZone, theme, columns, query, checkpointKey, className, style } = props;
  const latest = useRef(props);
  useLatest(() => void (latest.current = props));
  useEffect(() => load(src), [src]);
  const connect = useCallback((element: Element | null) => {
    if (element === null) return;
    element.getToken = () => latest.current.getToken?.() ?? null;
    // They go with the element.
    element.addEventListener("trailbook-token-expired", () => latest.current.onTokenExpired?.());
    element.addEventListener("trailbook-event-open", (event) => latest.current.onEventOpen?.((event as CustomEvent).detail));
    element.addEventListener("trailbook-query-change", (event) => latest.current.onQueryChange?.((event as CustomEvent).detail));
  }, []);
  return createElement("trailbook-viewer", {
    ref: connect,
    src,
    organization,
    project,
    token,
    locale,
    "time-zone": timeZone,
    theme,
    columns: columns?.join(","),
    query,
    "checkpoint-key": checkpointKey,
    class: className,
    style,
  });
}

/** Servers draw nothing, and React says so when they are to. */
const useLatest = typeof window === "undefined" ? useEffect : useLayoutEffect;

/** Adds the element's script to the page, once for each server. */
function load(src: string): void {
  const file = new URL("/embed/trailbook-viewer.js", src).href;
  if (loaded.has(file)) return;
  loaded.add(file);
  const script = document.createElement("script");
  script.type = "module";
  script.src = file;
  document.head.append(script);
}
