// Lists and headers as they are typed: one a line.
import { FieldFault } from "./attempt";
import { wordsOf } from "./words";
import en from "./lines.en.json";

const say = wordsOf({ en });

/** What is written one value a line. */
export function linesOf(text = ""): string[] {
  return text.split("\n").flatMap((line) => line.trim() || []);
}

/** Headers such as `Environment: production`. */
export function writeHeaders(headers: Record<string, string>): string {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join("\n");
}

/** The headers of such lines; rejects a line that is none with a fault at the field. */
export function readHeaders(field: string, text: string | undefined): Record<string, string> {
  const pairs = linesOf(text).map((line) => {
    const cut = line.indexOf(":");
    if (cut < 1) throw new FieldFault(field, say("header_fault", { line }));
    return [line.slice(0, cut).trim(), line.slice(cut + 1).trim()] as const;
  });
  return Object.fromEntries(pairs);
}
