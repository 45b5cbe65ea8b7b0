// Sizes of files in words.
import { number } from "../../ui/words";

const KILOBYTE = 1_000;

/** `0.4 kB`, `12.3 MB` */
export function sizeWords(bytes: number): string {
  const isLarge = bytes >= KILOBYTE * KILOBYTE;
  return number(bytes / (isLarge ? KILOBYTE * KILOBYTE : KILOBYTE), { style: "unit", unit: isLarge ? "megabyte" : "kilobyte", maximumFractionDigits: 1 });
}
