import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Manifest, readManifest } from "./publishable-packages.ts";
import { type CommandSettings, runCommand } from "./run-command.ts";

export type PackageManager = "npm" | "pnpm";

/**
 * A user with an empty home, whose only registry is the given one. Nothing of this machine's npm configuration is
 * read.
 */
export interface Stranger {
  readonly settings: CommandSettings;
  /** Makes an empty project named `project` and installs `names` in it. */
  install(manager: PackageManager, project: string, names: readonly string[]): Promise<Installation>;
}

export interface Installation {
  readonly folder: string;
  readonly seconds: number;
  readonly bytes: number;
  /** Every package in the project's node_modules, by name and version, sorted. */
  readonly packages: readonly { readonly name: string; readonly version: string }[];
}

/** The folder that holds the pnpm which package.json names; fetched by npx where it isn't there yet. */
export async function pnpmFolder(root: string): Promise<string> {
  const { packageManager } = readManifest(root) as Manifest & { packageManager: string };
  const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...trustedAuthorities() };
  const found = await runCommand(["npx", "--yes", "--package", packageManager, "-c", "command -v pnpm"], {
    cwd: root,
    env,
  });
  return dirname(found.trim());
}

export function createStranger(home: string, registry: string, pnpm: string): Stranger {
  mkdirSync(home, { recursive: true });
  // A client that publishes wants to show some token; this registry takes any.
  const npmrc = [
    `registry=${registry}`,
    `${registry.replace("http:", "")}:_authToken=anybody`,
    "update-notifier=false",
  ];
  writeFileSync(join(home, ".npmrc"), npmrc.join("\n"));
  const env = {
    PATH: [dirname(process.execPath), pnpm, process.env["PATH"]].join(":"),
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_DATA_HOME: join(home, ".local/share"),
    XDG_STATE_HOME: join(home, ".local/state"),
    CI: "true",
    GIT_AUTHOR_NAME: "stranger",
    GIT_AUTHOR_EMAIL: "stranger@example.invalid",
    GIT_COMMITTER_NAME: "stranger",
    GIT_COMMITTER_EMAIL: "stranger@example.invalid",
  };
  const settings: CommandSettings = { cwd: home, env };
  return {
    settings,
    async install(manager, project, names) {
      const folder = join(home, project);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
      const startedAt = performance.now();
      const command = manager === "npm" ? ["npm", "install", "--no-audit", "--no-fund"] : ["pnpm", "add"];
      await runCommand([...command, ...names], { ...settings, cwd: folder });
      const seconds = (performance.now() - startedAt) / 1_000;
      const modules = join(folder, "node_modules");
      return { folder, seconds, bytes: bytesIn(modules), packages: packagesIn(modules) };
    },
  };
}

/** What a process needs to trust the registry that npm is configured for, besides Node's own authorities. */
function trustedAuthorities(): Record<string, string> {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  return file === undefined ? {} : { NODE_EXTRA_CA_CERTS: file };
}

function packagesIn(modules: string): { name: string; version: string }[] {
  const found = new Map<string, { name: string; version: string }>();
  const visit = (folder: string, scope: string): void => {
    for (const entry of existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []) {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) continue;
      if (entry.name === ".pnpm") for (const each of readdirSync(path)) visit(join(path, each, "node_modules"), "");
      else if (entry.name.startsWith("@")) visit(path, `${entry.name}/`);
      else if (!entry.name.startsWith(".") && existsSync(join(path, "package.json"))) {
        const { version } = readManifest(path);
        found.set(`${scope}${entry.name}@${version}`, { name: scope + entry.name, version });
        visit(join(path, "node_modules"), "");
      }
    }
  };
  visit(modules, "");
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).size, 0);
}
