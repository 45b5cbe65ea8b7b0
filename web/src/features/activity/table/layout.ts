// How somebody has set up the list: which columns in which order, how wide, how dense. A browser keeps it for each reader of
// an organization and for each of their views; the address has the columns too, so that a link shows the same.

export interface Layout {
  /** Column ids in their order; null is the default ones. */
  columns: string[] | null;
  /** Pixels of the columns that somebody has made wider or narrower. */
  widths: Record<string, number>;
  density: "comfortable" | "compact";
  /** Whether long values are written on several lines. */
  isWrapped: boolean;
  /** Whether the first column stays while the others are scrolled. */
  isFrozen: boolean;
}

export const DEFAULT_LAYOUT: Layout = { columns: null, widths: {}, density: "comfortable", isWrapped: false, isFrozen: false };

export const WIDTH_MIN = 64;
export const WIDTH_MAX = 900;
/** How far an arrow key moves the edge of a column. */
export const WIDTH_STEP = 16;

const COLUMNS_MAX = 100;

export function clampWidth(width: number): number {
  return Math.min(Math.max(Math.round(width), WIDTH_MIN), WIDTH_MAX);
}

/** A kept layout; what is not one, or only partly, counts as far as it can be read. */
export function parseLayout(text: string | null): Layout {
  const kept = read(text);
  const columns = Array.isArray(kept["columns"]) ? kept["columns"].filter((id): id is string => typeof id === "string").slice(0, COLUMNS_MAX) : [];
  const widths = Object.entries(typeof kept["widths"] === "object" && kept["widths"] !== null ? kept["widths"] : {}).filter(([, width]) => Number.isFinite(width));
  return {
    columns: columns.length === 0 ? null : columns,
    widths: Object.fromEntries(widths.slice(0, COLUMNS_MAX).map(([id, width]) => [id, clampWidth(width as number)])),
    density: kept["density"] === "compact" ? "compact" : "comfortable",
    isWrapped: kept["isWrapped"] === true,
    isFrozen: kept["isFrozen"] === true,
  };
}

function read(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A list with one of its members moved to another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  const [member] = next.splice(from, 1);
  if (member !== undefined) next.splice(Math.min(Math.max(to, 0), next.length), 0, member);
  return next;
}

/** The grid's columns: a width that somebody has set stands, others share what is left. */
export function gridColumns(columns: readonly { id: string; width: number; share: number }[], widths: Record<string, number>): string {
  const hasShare = columns.some(({ id, share }) => share > 0 && widths[id] === undefined);
  return columns
    .map(({ id, width, share }, place) => {
      const own = widths[id];
      // Where nothing shares what is left, the last column takes it, so that rows reach the list's edge.
      if (own !== undefined) return !hasShare && place === columns.length - 1 ? `minmax(${own}px, 1fr)` : `${own}px`;
      return share > 0 ? `minmax(${width}px, ${share}fr)` : !hasShare && place === columns.length - 1 ? `minmax(${width}px, 1fr)` : `${width}px`;
    })
    .join(" ");
}

/** The least width of all columns together. */
export function widthMin(columns: readonly { id: string; width: number }[], widths: Record<string, number>): number {
  return columns.reduce((sum, { id, width }) => sum + (widths[id] ?? width), 0);
}
