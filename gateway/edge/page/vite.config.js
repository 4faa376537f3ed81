// Builds the pages into gateway/edge/static, which is committed: running the gateway never needs Node.
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { licences } from "./build/licences.js";
import { trimmedConsole } from "./build/trim.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const notices = licences();

export default defineConfig({
  root: here("."),
  base: "/static/",
  publicDir: false,
  plugins: [react(), trimmedConsole(here("src/console")), notices.page],
  worker: {
    format: "es",
    plugins: () => [trimmedConsole(here("src/console")), notices.worker],
    // Workers are told apart from page chunks: the licence list and the size check read the names.
    rollupOptions: { output: { entryFileNames: "assets/[name]-[hash].js", chunkFileNames: "assets/[name]-[hash].js" } },
  },
  build: {
    outDir: here("../static"),
    emptyOutDir: true,
    target: "es2022",
    // Data URLs would end up inside scripts and style sheets that every visitor loads.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 3000,
    rollupOptions: { input: { index: here("index.html"), account: here("account.html"), console: here("console.html") } },
  },
  server: { proxy: { "/graphql": "http://127.0.0.1:8000", "/health": "http://127.0.0.1:8000", "/oauth": "http://127.0.0.1:8000" } },
});
