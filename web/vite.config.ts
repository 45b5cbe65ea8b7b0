// Builds the viewer into dist/, which the server embeds. Everything is a file of the same origin with a hashed name: the
// server's content security policy is `default-src 'self'`, so nothing may be inlined as a data: URL, a script or a style.
// Other products' pages load the element, whose name has no hash, and with it files of the server from their own origin.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { firstLoad } from "./first-load.ts";

const server = process.env["TRAILBOOK_SERVER"] ?? "http://127.0.0.1:8321";

/** Under which name `/embed/` has it; docs/embedding.md promises this one. */
const ELEMENT = "trailbook-viewer";

export default defineConfig({
  plugins: [react(), firstLoad()],
  build: {
    outDir: "dist",
    assetsDir: "assets",
    assetsInlineLimit: 0,
    // What scripts load they load by themselves: a link for it in the document would ask another product's server.
    modulePreload: { polyfill: false, resolveDependencies: (_, files, { hostType }) => (hostType === "html" ? files : []) },
    license: { fileName: "assets/licenses.md" },
    rolldownOptions: {
      input: { index: "index.html", embed: "embed.html", [ELEMENT]: "src/embed/trailbook-viewer.tsx" },
      output: { entryFileNames: ({ name }) => (name === ELEMENT ? "embed/[name].js" : "assets/[name]-[hash].js") },
    },
  },
  // `npm run dev` serves the page and passes calls on to a running server.
  server: { proxy: { "/v1": server, "/auth": server } },
  test: { include: ["src/**/*.test.ts"], env: { TZ: "Pacific/Auckland" } },
});
