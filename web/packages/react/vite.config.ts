// Builds what is published of the React package: one module and its types, without React.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  publicDir: false,
  build: {
    outDir: here("dist"),
    emptyOutDir: false,
    lib: { entry: here("src/index.tsx"), formats: ["es"], fileName: "index" },
    rolldownOptions: { external: ["react"] },
  },
});
