import { defineConfig } from "vite";

export default defineConfig({
  // Relative addresses: the site works under any path.
  base: "./",
  build: { target: "es2022" },
  esbuild: { jsx: "automatic" },
  // Its WebAssembly lies beside the module that asks for it, and stays there.
  optimizeDeps: { exclude: ["polar-signin"] },
});
