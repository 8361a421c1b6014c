import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The runtimes as npm knows them, and their exact versions. */
export const pins: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(import.meta.dirname, "package.json"), "utf8"),
).dependencies;
