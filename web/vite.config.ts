// Builds the viewer into dist/, which the server embeds. Everything is a file of the same origin with a hashed name: the
// server's content security policy is `default-src 'self'`, so nothing may be inlined as a data: URL, a script or a style.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { firstLoad } from "./first-load.ts";

const server = process.env["TRAILBOOK_SERVER"] ?? "http://127.0.0.1:8321";

export default defineConfig({
  plugins: [react(), firstLoad()],
  build: {
    outDir: "dist",
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "assets/licenses.md" },
  },
  // `npm run dev` serves the page and passes calls on to a running server.
  server: { proxy: { "/v1": server, "/auth": server } },
  test: { include: ["src/**/*.test.ts"], env: { TZ: "Pacific/Auckland" } },
});
