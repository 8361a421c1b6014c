import { join } from "node:path";
import { pins } from "./pins.ts";
import { workerdVersion } from "./workerd.ts";

/** A place where JavaScript runs, and how to run it there. */
export interface Runtime {
  /** A column of the table: `Node 22.23.3`. */
  readonly title: string;
  readonly version: string;
  /** What a bundler for it resolves packages by, in the runtime's own order. */
  readonly conditions: readonly string[];
  /**
   * Whether a connection may be kept for as long as the program runs; without that the Redis protocol is not claimed.
   */
  readonly keepsSockets: boolean;
  /**
   * The program that runs a bundle, and its arguments before the bundle's path; absent for workerd, which is embedded.
   */
  readonly command?: (installed: string) => readonly string[];
}

const versionOf = (name: string): string => pins[name]?.split("@").at(-1) ?? "";
const named = (name: string, version: string) => ({ title: `${name} ${version}`, version });
const binary = (installed: string, ...path: string[]): string => join(installed, "node_modules", ...path);

const node = (name: "node-20" | "node-22" | "node-24"): Runtime => ({
  ...named("Node", versionOf(name)),
  conditions: ["node"],
  keepsSockets: true,
  command: (installed) => [binary(installed, name, "bin", "node")],
});

/** What the machine has anyway: the first is a dependency of the tests, the second runs them. */
export const workerd: Runtime = {
  ...named("workerd", workerdVersion),
  conditions: ["workerd", "worker", "browser"],
  keepsSockets: false,
};
export const thisNode: Runtime = {
  ...named("Node", process.versions.node),
  conditions: ["node"],
  keepsSockets: true,
  command: () => [process.execPath],
};

/** Those that npm has to bring. */
export const installable: readonly Runtime[] = [
  node("node-20"),
  node("node-22"),
  node("node-24"),
  {
    ...named("Deno", versionOf("deno")),
    conditions: ["deno", "node"],
    keepsSockets: true,
    // No rights beyond those that a server needs: neither files nor further programs.
    command: (installed) => [
      binary(installed, "@deno", "linux-x64-glibc", "deno"),
      "run",
      "--no-prompt",
      "--no-remote",
      "--no-lock",
      "--no-config",
      "--allow-net=127.0.0.1",
      "--allow-env",
    ],
  },
  {
    ...named("Bun", versionOf("@oven/bun-linux-x64")),
    conditions: ["bun", "node"],
    keepsSockets: true,
    command: (installed) => [binary(installed, "@oven", "bun-linux-x64", "bin", "bun"), "run"],
  },
];

/** The columns of the table. */
export const runtimes: readonly Runtime[] = [workerd, ...installable];
