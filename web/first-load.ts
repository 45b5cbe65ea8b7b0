// What the page needs before it can be used must stay small: a build whose first load is larger than the limit fails.
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Bytes, compressed by gzip where that makes them fewer. */
const FIRST_LOAD_BYTES_MAX = 150_000;

/** Counts everything of a build that a browser loads; licences are only for readers. */
export function firstLoad(): Plugin {
  return {
    name: "first-load",
    apply: "build",
    enforce: "post",
    writeBundle(_, bundle) {
      const loaded = Object.values(bundle).filter((file) => /\.(html|js|css|svg|woff2)$/.test(file.fileName));
      const sizes = loaded.map((file) => {
        const bytes = Buffer.from(file.type === "chunk" ? file.code : file.source);
        return Math.min(bytes.length, gzipSync(bytes, { level: 9 }).length);
      });
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const said = `first load: ${(total / 1000).toFixed(1)} kB compressed, at most ${FIRST_LOAD_BYTES_MAX / 1000} kB`;
      if (total > FIRST_LOAD_BYTES_MAX) this.error(said);
      this.info(said);
    },
  };
}
