import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";

/**
 * A folder in which what `manifest` names is installed: tools that only one check needs, and that must not meet the
 * repository's own dependencies. Installed from npm the first time, then kept in `.cache` until the manifest changes.
 */
export async function toolFolder(root: string, name: string, manifest: object): Promise<string> {
  const text = JSON.stringify({ private: true, ...manifest }, undefined, 2);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const folder = join(root, ".cache", "installed", `${name}-${hash}`);
  if (existsSync(folder)) return folder;
  mkdirSync(join(root, ".cache", "installed"), { recursive: true });
  // What is installed only in part never gets the name under which it would be found.
  const draft = mkdtempSync(`${folder}-`);
  try {
    writeFileSync(join(draft, "package.json"), text);
    const env = Object.fromEntries(
      Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
    await runCommand(install, { cwd: draft, env, timeoutMs: 240_000 });
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
