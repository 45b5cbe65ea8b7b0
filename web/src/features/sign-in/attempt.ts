// What came of sending a form: idle, under way, or refused in words that stand at their fields.
import { memberFaults, Problem } from "../../api/problem";

export interface Refusal {
  /** What belongs to no field; null when all of it does. */
  reason: string | null;
  /** By the field's name. */
  faults: ReadonlyMap<string, string>;
}

/** The words for a failure, of a form that has these fields. */
export function refusal(failure: unknown, fields: ReadonlySet<string>): Refusal {
  if (!(failure instanceof Problem)) return { reason: failure instanceof Error ? failure.message : String(failure), faults: new Map() };
  const all = [...memberFaults(failure)].map(([name, detail]) => [name, sentence(detail)] as const);
  const faults = new Map(all.filter(([name]) => fields.has(name)));
  const elsewhere = all.filter(([name]) => !fields.has(name)).map(([, detail]) => detail);
  const reason = all.length === 0 ? failure.message : elsewhere.join(" ") || null;
  return { reason, faults };
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
