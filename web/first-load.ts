// What the page needs before it can be used must stay small, and so must all of it: a build above a limit fails.
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** Bytes, compressed by gzip where that makes them fewer. */
const FIRST_LOAD_BYTES_MAX = 150_000;
const EVERYTHING_BYTES_MAX = 300_000;

/** Letters that few pages have, fetched by those alone. */
const ON_DEMAND = /inter-extended-/;

type Bundle = Rolldown.OutputBundle;

/** Counts what each entry loads at once (its page, scripts that it imports, styles, fonts), and all that a browser can load. */
export function firstLoad(): Plugin {
  return {
    name: "first-load",
    apply: "build",
    enforce: "post",
    writeBundle(_, bundle) {
      const shared = sizeOf(bundle, Object.keys(bundle).filter((name) => /\.(css|woff2|svg)$/.test(name) && !isOfLazy(bundle, name) && !ON_DEMAND.test(name)));
      const entries = Object.values(bundle).filter((file) => file.type === "chunk" && file.isEntry);
      for (const entry of entries) {
        const scripts = withImports(bundle, entry.fileName);
        judge(this, `first load of ${entry.fileName}`, shared + sizeOf(bundle, [...scripts]), FIRST_LOAD_BYTES_MAX);
      }
      judge(this, "everything", sizeOf(bundle, Object.keys(bundle).filter((name) => /\.(html|js|css|svg|woff2)$/.test(name))), EVERYTHING_BYTES_MAX);
    },
  };
}

function judge(build: { error: (said: string) => void; info: (said: string) => void }, what: string, bytes: number, bytes_max: number): void {
  const said = `${what}: ${(bytes / 1000).toFixed(1)} kB compressed, at most ${bytes_max / 1000} kB`;
  if (bytes > bytes_max) build.error(said);
  build.info(said);
}

/** A script and all that it imports before it runs. */
function withImports(bundle: Bundle, name: string, found = new Set<string>()): Set<string> {
  const file = bundle[name];
  if (file?.type !== "chunk" || found.has(name)) return found;
  found.add(name);
  file.imports.forEach((imported) => withImports(bundle, imported, found));
  return found;
}

/** Whether a style is loaded only with a script that is loaded later. */
function isOfLazy(bundle: Bundle, name: string): boolean {
  return Object.values(bundle).some((file) => file.type === "chunk" && file.isDynamicEntry && !file.isEntry && file.viteMetadata?.importedCss.has(name) === true);
}

function sizeOf(bundle: Bundle, names: string[]): number {
  return names.reduce((sum, name) => {
    const file = bundle[name]!;
    const bytes = Buffer.from(file.type === "chunk" ? file.code : file.source);
    return sum + Math.min(bytes.length, gzipSync(bytes, { level: 9 }).length);
  }, 0);
}
