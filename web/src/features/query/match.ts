// Whether what somebody typed begins a word of a text.

/** A text without case and accents. */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** Whether one of `texts` has `typed` at its beginning or at that of one of its words. */
export function begins(typed: string, ...texts: (string | null)[]): boolean {
  const wanted = fold(typed.trim());
  return texts.some((text) => text !== null && isBegun(fold(text), wanted));
}

function isBegun(text: string, wanted: string): boolean {
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!)) return true;
  }
  return false;
}

/** Whether a text can only be meant as an address, a network, or the beginning of one. */
export function isAddress(text: string): boolean {
  return /^(\d{1,3}\.){1,3}(\d{1,3}(\/\d{1,2})?)?$/.test(text) || (/^[0-9a-f:.]+(\/\d{1,3})?$/i.test(text) && (text.match(/:/g)?.length ?? 0) > 1);
}
