// What came of sending a form: idle, under way, or refused in words that stand at their fields.
import { memberFaults, Problem } from "../api/problem";

export interface Refusal {
  /** What belongs to no field; null when all of it does. */
  reason: string | null;
  /** By the field's name. */
  faults: ReadonlyMap<string, string>;
}

/** A fault that the screen itself finds in a field, before anything is sent. */
export class FieldFault extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

/** The words for a failure, of a form that has these fields. */
export function refusal(failure: unknown, fields: ReadonlySet<string>): Refusal {
  if (failure instanceof FieldFault) return { reason: null, faults: new Map([[failure.field, failure.message]]) };
  if (!(failure instanceof Problem)) return { reason: failure instanceof Error ? failure.message : String(failure), faults: new Map() };
  const faults = new Map<string, string>();
  const elsewhere: string[] = [];
  for (const [name, detail] of memberFaults(failure)) {
    const field = fieldOf(name, fields);
    if (field === undefined) elsewhere.push(sentence(detail));
    else if (!faults.has(field)) faults.set(field, field === name ? sentence(detail) : `${name.slice(field.length)}: ${detail}`);
  }
  const isSilent = faults.size === 0 && elsewhere.length === 0;
  return { reason: isSilent ? failure.message : elsewhere.join(" ") || null, faults };
}

/** The field that a member belongs to: itself, or the nearest one that has it inside. */
function fieldOf(name: string, fields: ReadonlySet<string>): string | undefined {
  for (let at = name; at !== ""; at = at.slice(0, Math.max(at.lastIndexOf("/"), 0))) if (fields.has(at)) return at;
  return undefined;
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
