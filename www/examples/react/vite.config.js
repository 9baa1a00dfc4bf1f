import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // Pre-bundling would move the script away from its WebAssembly.
  optimizeDeps: { exclude: ["wechat-pay-widget"] },
  // The page asks for /orders, which one of the backends serves: see ../backends.
  server: { proxy: { "/orders": process.env.SHOP ?? "http://127.0.0.1:8001" } },
});
