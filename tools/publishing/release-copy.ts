import { cpSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { publishablePackages } from "./publishable-packages.ts";
import { type CommandSettings, runCommand } from "./run-command.ts";

const leftOut = new Set(["node_modules", ".git", ".cache", ".turbo", ".wrangler", "coverage"]);

/**
 * A built copy of the repository, in a git history of its own, in which a release can be tried: versions raised,
 * changelogs written, packages published, without a trace here.
 */
export async function copyForRelease(root: string, copy: string, settings: CommandSettings): Promise<void> {
  const packages = publishablePackages(root);
  const folders = packages.map(({ folder }) => folder);
  const atRoot = { ...settings, cwd: root };
  await runCommand([join(root, "node_modules/.bin/tsc"), "-b", ...folders], atRoot);
  await runCommand([process.execPath, "tools/bundle-package.mjs", ...folders], atRoot);
  rmSync(copy, { recursive: true, force: true });
  cpSync(root, copy, {
    recursive: true,
    filter: (path) =>
      !relative(root, path)
        .split(sep)
        .some((part) => leftOut.has(part)),
  });
  // Where pnpm reads the version that `workspace:^` stands for.
  for (const { folder, manifest } of packages) {
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      const target = packages.find((each) => each.manifest.name === dependency);
      if (!target) continue;
      const link = join(copy, folder, "node_modules", dependency);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(relative(dirname(link), join(copy, target.folder)), link);
    }
  }
  await git(copy, settings, "init", "--quiet", "--initial-branch=main");
  await commitAll(copy, settings, "before the release");
}

export async function commitAll(copy: string, settings: CommandSettings, message: string): Promise<void> {
  await git(copy, settings, "add", "--all");
  await git(copy, settings, "commit", "--quiet", "--message", message);
}

export function git(copy: string, settings: CommandSettings, ...args: string[]): Promise<string> {
  return runCommand(["git", ...args], { ...settings, cwd: copy });
}
