// Builds an app, or a private package, and runs it with the remaining arguments: `node tools/start.mjs node-server
// --once`.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, root } from "./build.mjs";

const [app, ...args] = process.argv.slice(2);
console.log("Building…");
if (!build(`@continuum-cache/${app}`)) process.exit(1);

const folder = ["apps", "internal"].map((parent) => join(root, parent, app)).find(existsSync) ?? app;
const child = spawn(process.execPath, [join(folder, "dist", "main.js"), ...args], { stdio: "inherit" });
// A terminal sends its interrupt to both of us: the app shuts down by itself, and this process only waits for it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
