// Builds the viewer into dist/, which the server embeds. Everything is a file of the same origin with a hashed name: the
// server's content security policy is `default-src 'self'`, so nothing may be inlined as a data: URL, a script or a style.
// Other products' pages load the element, whose name has no hash, and with it files of the server from their own origin.
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Rolldown } from "vite";
import { defineConfig } from "vitest/config";
import { firstLoad } from "./first-load.ts";

const server = process.env["TRAILBOOK_SERVER"] ?? "http://127.0.0.1:8321";

/** Under which name `/embed/` has it; docs/embedding.md promises this one. */
const ELEMENT = "trailbook-viewer";

const FORMS = /src\/ui\/(attempt|Confirm|CopyButton|Dialog|Form|lines|Ready|Secret|SecretField|useDeed)\.tsx?$/;

const VIEWER = fileURLToPath(new URL("src/Viewer.tsx", import.meta.url));

/** A module and all that it imports before it runs. */
function within(id: string, modules: Rolldown.ChunkingContext, found = new Set<string>()): Set<string> {
  if (found.has(id)) return found;
  found.add(id);
  modules.getModuleInfo(id)?.importedIds.forEach((imported) => within(imported, modules, found));
  return found;
}

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
      output: {
        entryFileNames: ({ name }) => (name === ELEMENT ? "embed/[name].js" : "assets/[name]-[hash].js"),
        // What all of them begin with is one file: it is smaller so, and fetched at once. So is what forms and dialogs are made of.
        codeSplitting: { groups: [{ name: (id, modules) => (within(VIEWER, modules).has(id) ? "viewer" : null) }, { name: "forms", test: FORMS }] },
      },
    },
  },
  // `npm run dev` serves the page and passes calls on to a running server.
  server: { proxy: { "/v1": server, "/auth": server } },
  test: { include: ["src/**/*.test.ts"], env: { TZ: "Pacific/Auckland" } },
});
