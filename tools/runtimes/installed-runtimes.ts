import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { toolFolder } from "../publishing/tool-folder.ts";
import { pins } from "./pins.ts";
import type { Runtime } from "./runtimes.ts";

const root = resolve(import.meta.dirname, "../..");

/** Where npm has put the runtimes, or why it has not. */
export type Installation = { readonly folder: string } | { readonly missing: string };

/** Has npm bring the runtimes, about 760 MB, once; it may take four minutes and no longer. */
export async function installRuntimes(): Promise<Installation> {
  const machine = `${process.platform}-${process.arch}`;
  if (machine !== "linux-x64") return { missing: `tools/runtimes has binaries for linux-x64, and this is ${machine}` };
  try {
    return { folder: await toolFolder(root, "runtimes", { dependencies: pins }) };
  } catch (error) {
    return { missing: `npm could not install the runtimes: ${(error as Error).message.slice(0, 500)}` };
  }
}

/** Why a runtime does not run here; nothing when it does, in the version of its title. */
export function whyAbsent({ title, version, command }: Runtime, installation: Installation): string | undefined {
  if (command === undefined) return undefined;
  if ("missing" in installation) return installation.missing;
  const [program = ""] = command(installation.folder);
  const { stdout, error } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: 30_000 });
  if (stdout?.includes(version)) return undefined;
  return `${title} does not start here: ${error?.message ?? `it says ${stdout.slice(0, 200)}`}`;
}
