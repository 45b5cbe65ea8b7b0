/** A word of a shell's command line that nothing in it can break out of. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
