// The screen's typeface: Inter 4.1 from the server that the screen comes from, for Latin alone; other scripts use the system's fonts.
// README says how the files are made. Fonts belong to documents, never to shadow roots, so the name is one that no page has for its own.

/** As tokens.css names it. */
const FAMILY = "trailbook-inter";

/** Each is fetched when something has one of its characters. */
const FILES: readonly (readonly [file: URL, characters: string])[] = [
  [
    new URL("../styles/fonts/inter-latin.woff2", import.meta.url),
    "U+0020-007E, U+00A0-00FF, U+2010-2015, U+2018-201F, U+2020-2022, U+2026, U+2030, U+2039-203A, U+20AC, U+2122, U+2190-2193, U+2212, U+FFFD",
  ],
  [new URL("../styles/fonts/inter-extended.woff2", import.meta.url), "U+0100-017F"],
];

let isOffered = false;

/** Makes the typeface known to the document, once. */
export function offerFont(): void {
  if (isOffered) return;
  isOffered = true;
  for (const [file, unicodeRange] of FILES) {
    document.fonts.add(new FontFace(FAMILY, `url("${file.href}")`, { weight: "400 650", display: "swap", unicodeRange }));
  }
}
