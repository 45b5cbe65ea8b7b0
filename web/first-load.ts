// What the page, the framed page and the element each need before they can be used must stay small, and so must all that they can load:
// a build above a limit fails.
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** Bytes, compressed by gzip where that makes them fewer. */
const FIRST_LOAD_BYTES_MAX = 150_000;
const EVERYTHING_BYTES_MAX = 300_000;

/** Letters that few pages have, fetched by those alone. */
const ON_DEMAND = /inter-extended-/;

type Bundle = Rolldown.OutputBundle;

/** Counts what each entry loads at once (scripts that it imports, their styles, the typeface), and all that a browser can load of it. */
export function firstLoad(): Plugin {
  return {
    name: "first-load",
    apply: "build",
    enforce: "post",
    writeBundle(_, bundle) {
      const typefaces = Object.keys(bundle).filter((name) => name.endsWith(".woff2"));
      const entries = Object.values(bundle).filter((file) => file.type === "chunk" && file.isEntry);
      for (const { fileName } of entries) {
        const [first, all] = [reach(bundle, fileName, false), reach(bundle, fileName, true)];
        judge(this, `first load of ${fileName}`, sizeOf(bundle, [...first, ...typefaces.filter((name) => !ON_DEMAND.test(name))]), FIRST_LOAD_BYTES_MAX);
        judge(this, `everything of ${fileName}`, sizeOf(bundle, [...all, ...typefaces]), EVERYTHING_BYTES_MAX);
      }
    },
  };
}

function judge(build: { error: (said: string) => void; info: (said: string) => void }, what: string, bytes: number, bytes_max: number): void {
  const said = `${what}: ${(bytes / 1000).toFixed(1)} kB compressed, at most ${bytes_max / 1000} kB`;
  if (bytes > bytes_max) build.error(said);
  build.info(said);
}

/** A script, all that it imports before it runs (`andLater` also what it may import afterwards), and their styles. */
function reach(bundle: Bundle, name: string, andLater: boolean, found = new Set<string>()): Set<string> {
  const file = bundle[name];
  if (file?.type !== "chunk" || found.has(name)) return found;
  found.add(name);
  file.viteMetadata?.importedCss.forEach((style) => found.add(style));
  [...file.imports, ...(andLater ? file.dynamicImports : [])].forEach((imported) => reach(bundle, imported, andLater, found));
  return found;
}

function sizeOf(bundle: Bundle, names: string[]): number {
  return names.reduce((sum, name) => {
    const file = bundle[name]!;
    const bytes = Buffer.from(file.type === "chunk" ? file.code : file.source);
    return sum + Math.min(bytes.length, gzipSync(bytes, { level: 9 }).length);
  }, 0);
}
