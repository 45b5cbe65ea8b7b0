// The metadata of an event as lines: a path and its value.
import type { Json } from "../../api/contract";

export interface Line {
  /** As queries write it, `metadata.plan.tier`. */
  path: string;
  value: Json;
}

/** The values of an object that are no objects themselves, in its order; lists of such are one value. `raw` is what another program sent, and stays in the record. */
export function linesOf(metadata: Json): Line[] {
  return flat("metadata", metadata).filter(({ path }) => path !== "metadata.raw" && !path.startsWith("metadata.raw."));
}

function flat(path: string, value: Json): Line[] {
  if (value === null || value === "") return [];
  if (typeof value !== "object") return [{ path, value }];
  if (Array.isArray(value)) return value.length === 0 ? [] : [{ path, value }];
  return Object.entries(value).flatMap(([name, member]) => flat(`${path}.${name.replaceAll(".", "\\.")}`, member));
}
