import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogVersion, compileExamples, runExample, writeExamples } from "../examples/example-project.ts";
import { type Example, guideExamples, packageExamples } from "../examples/examples.ts";
import { staleExceptions, wayToRun } from "../examples/ways-to-run.ts";
import { expectedDependencies } from "../publishing/expected-dependencies.ts";
import { startServers } from "../publishing/local-servers.ts";
import {
  type Manifest,
  publishablePackages,
  readManifest,
  workspacePackages,
} from "../publishing/publishable-packages.ts";
import { type Registry, startRegistry } from "../publishing/registry.ts";
import { commitAll, copyForRelease, git } from "../publishing/release-copy.ts";
import { attemptCommand, runCommand } from "../publishing/run-command.ts";
import { createStranger, type Installation, pnpmFolder, type Stranger } from "../publishing/stranger.ts";
import { budgets, nodeOnly } from "../sizes/budgets.ts";

const root = resolve(import.meta.dirname, "../..");
const packages = publishablePackages(root);
const names = packages.map(({ manifest }) => manifest.name);

const edgeEntries = Object.keys(budgets).filter((entry) => !nodeOnly.has(entry));
const packageOf = (entry: string) => entry.split("/", entry.startsWith("@") ? 2 : 1).join("/");
const edgePackages = names.filter((name) => edgeEntries.some((entry) => packageOf(entry) === name));

let work: string;
let copy: string;
let registry: Registry;
let stranger: Stranger;
let version: string;

const hasGit = spawnSync("git", ["--version"]).status === 0;

describe.skipIf(!hasGit)(hasGit ? "from a copy of the repository," : "needs git, which is not installed:", () => {
  /**
   * The version is raised and everything published from a copy of the repository, to a registry that ends with this
   * test.
   */
  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), "release-"));
    copy = join(work, "repository");
    registry = await startRegistry(root, join(work, "registry"), names);
    stranger = createStranger(join(work, "home"), registry.url, await pnpmFolder(root));
    await copyForRelease(root, copy, stranger.settings);
    const changeset = [process.execPath, join(root, "node_modules/@changesets/cli/bin.js")];
    // A release without news is none: there is always one, however recently the last was made.
    writeFileSync(join(copy, ".changeset/a-try.md"), '---\n"@continuum-cache/core": patch\n---\n\nA try.\n');
    await runCommand([...changeset, "version"], { ...stranger.settings, cwd: copy });
    await commitAll(copy, stranger.settings, "the release");
    await runCommand([...changeset, "publish"], { ...stranger.settings, cwd: copy });
    version = readManifest(join(copy, "packages/core")).version;
  }, 420_000);

  afterAll(async () => {
    await registry?.close();
    rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  });

  describe("a release", () => {
    it("raises all packages together, and no app", () => {
      const raised = workspacePackages(copy).map(({ folder, manifest }) => [folder, manifest.version]);
      expect(raised).toEqual(
        workspacePackages(root).map(({ folder, manifest }) => [folder, manifest.private ? manifest.version : version]),
      );
      expect(version).not.toBe(readManifest(join(root, "packages/core")).version);
    });

    it("tells in each changelog what is new for that package, in the words of its changesets", () => {
      const told = readFileSync(join(copy, "packages/core/CHANGELOG.md"), "utf8");
      expect(told).toContain(`## ${version}`);
      expect(told).toContain("A try.");
      expect(told).not.toMatch(/Updated dependencies|^- [0-9a-f]{7,}:/m);
      for (const { folder } of packages) expect(existsSync(join(copy, folder, "CHANGELOG.md")), folder).toBe(true);
      for (const { folder, manifest } of workspacePackages(copy)) {
        if (manifest.private) expect(existsSync(join(copy, folder, "CHANGELOG.md")), folder).toBe(false);
      }
    });

    it("publishes every package and tags it, and no app", async () => {
      const tags = (await git(copy, stranger.settings, "tag")).trim().split("\n");
      expect(tags.sort()).toEqual(names.map((name) => `${name}@${version}`).sort());
      for (const { manifest } of workspacePackages(root)) {
        const { status } = await fetch(`${registry.url}${encodeURIComponent(manifest.name)}`);
        expect([manifest.name, status]).toEqual([manifest.name, manifest.private ? 404 : 200]);
      }
    });

    it("would carry a proof of its origin: pnpm heeds the variable that the workflow sets", async () => {
      const workflow = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");
      const [, variable = "none"] = /^ +(\w+_PROVENANCE): "true"$/m.exec(workflow) ?? [];
      const { status, stdout, stderr } = await attemptCommand(["pnpm", "publish", "--no-git-checks"], {
        cwd: join(copy, "packages/core"),
        env: { ...stranger.settings.env, [variable]: "true" },
      });
      expect(status).not.toBe(0);
      expect(`${stdout}${stderr}`).toContain("provenance generation is not supported for this CI provider");
    });
  });

  describe.each(packages.map(({ folder, manifest }) => [manifest.name, folder] as const))(
    "%s, as published",
    (name, folder) => {
      let tarball: ArrayBuffer;
      let manifest: Manifest;
      let file: string;
      let files: string[];

      beforeAll(async () => {
        const about = await (await fetch(`${registry.url}${encodeURIComponent(name)}/${version}`)).json();
        tarball = await (await fetch((about as { dist: { tarball: string } }).dist.tarball)).arrayBuffer();
        mkdirSync(join(work, "tarballs", folder), { recursive: true });
        file = join(work, "tarballs", folder, "package.tgz");
        writeFileSync(file, new Uint8Array(tarball));
        const settings = { ...stranger.settings, cwd: join(work, "tarballs", folder) };
        files = (await runCommand(["tar", "--list", "--gzip", "--file", file], settings)).trim().split("\n");
        await runCommand(["tar", "--extract", "--gzip", "--file", file], settings);
        manifest = readManifest(join(work, "tarballs", folder, "package"));
      });

      it("holds what runs, its types, its sources, a README, a changelog and the licence, and nothing else", () => {
        const kinds =
          /^package\/(package\.json|README\.md|CHANGELOG\.md|LICENSE|src\/.+\.ts|dist\/.+\.(js|js\.map|d\.ts|d\.ts\.map))$/;
        expect(files.filter((each) => !kinds.test(each))).toEqual([]);
        for (const each of ["README.md", "CHANGELOG.md", "LICENSE"]) expect(files).toContain(`package/${each}`);
      });

      it("says what it is, whose it is and where it comes from", () => {
        expect(manifest).toMatchObject({
          license: "MIT",
          repository: { type: "git", directory: folder },
          homepage: expect.stringContaining(`/${folder}#readme`),
          bugs: { url: expect.stringContaining("/issues") },
          description: expect.stringMatching(/\.$/),
          sideEffects: false,
          engines: { node: expect.any(String) },
        });
        expect(manifest.keywords?.length).toBeGreaterThan(2);
      });

      it("needs nothing of this repository: no workspace version, no catalog, no source condition", () => {
        expect(JSON.stringify(manifest)).not.toMatch(/workspace:|catalog:/);
        expect(JSON.stringify(manifest.exports)).not.toContain("@continuum-cache/source");
        for (const [dependency, range] of Object.entries(manifest.dependencies ?? {}))
          if (names.includes(dependency)) expect([dependency, range]).toEqual([dependency, `^${version}`]);
      });

      it("satisfies publint", async () => {
        const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
        expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
      });

      it("has types where it has code, as attw sees it", async () => {
        const attw = [join(root, "node_modules/.bin/attw"), file, "--profile", "esm-only", "--no-color", "--no-emoji"];
        const { status, stdout, stderr } = await attemptCommand(attw, stranger.settings);
        expect(status, `${stdout}${stderr}`).toBe(0);
      });
    },
  );

  describe.each(["npm", "pnpm"] as const)("a stranger with %s", (manager) => {
    const alone: [name: string, Installation][] = [];

    afterAll(() => {
      const row = (name: string, { packages: all, seconds, bytes }: Installation) =>
        `| ${manager} | ${name} | ${all.length - 1} | ${seconds.toFixed(2)} s | ${(bytes / 1e6).toFixed(1)} MB |`;
      console.log(
        ["| | package | brings along | time | node_modules |", "| --- | --- | ---: | ---: | ---: |"]
          .concat(alone.map(([name, installed]) => row(name, installed)))
          .join("\n"),
      );
    });

    it.each(names)("who installs %s alone gets exactly what it says it needs", async (name) => {
      const installed = await stranger.install(manager, `${manager}-${name.replace("/", "-")}`, [name]);
      alone.push([name, installed]);
      expect(installed.packages.map((each) => each.name).filter((each) => each !== name)).toEqual(
        [...(expectedDependencies[name] ?? [`a row for ${name} in tools/publishing/expected-dependencies.ts`])].sort(),
      );
      for (const each of installed.packages) if (names.includes(each.name)) expect(each.version).toBe(version);
    });

    const [module, moduleResolution] = manager === "npm" ? ["NodeNext", "NodeNext"] : ["ESNext", "Bundler"];

    it.each(edgePackages)(
      "who writes for the edge can import %s: types without Node's, a bundle without built-ins",
      async (name) => {
        const folder = join(work, "home", `${manager}-${name.replace("/", "-")}`);
        const entries = edgeEntries.filter((entry) => packageOf(entry) === name);
        const code = entries.map((entry, index) => `export * as entry${index} from ${JSON.stringify(entry)};\n`);
        writeFileSync(join(folder, "worker.ts"), code.join(""));
        const lib = ["ES2023", "DOM", "DOM.Iterable", "ESNext.Disposable"];
        const compilerOptions = {
          target: "ES2022",
          lib,
          module,
          moduleResolution,
          strict: true,
          types: [],
          noEmit: true,
        };
        writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["worker.ts"] }));
        const { stdout } = await attemptCommand([join(root, "node_modules/.bin/tsc"), "-p", folder], stranger.settings);
        expect(stdout).toBe("");
        const { metafile } = await build({
          absWorkingDir: folder,
          entryPoints: ["worker.ts"],
          bundle: true,
          format: "esm",
          write: false,
          metafile: true,
          platform: "browser",
          conditions: ["workerd", "worker", "browser"],
        });
        expect(Object.keys(metafile.inputs).filter((file) => /node_modules\/ioredis|node-http/.test(file))).toEqual([]);
      },
    );

    describe("who follows the READMEs and the doc comments", () => {
      const examples: readonly Example[] = [
        ...guideExamples(root),
        ...packages.flatMap(({ folder }) => packageExamples(root, folder)),
      ];
      let folder: string;
      let complaints: ReadonlyMap<number, string[]>;
      const ran = new Map<number, string | undefined>();

      beforeAll(async () => {
        const others = ["@types/node", "vitest", "redis"].map((name) => `${name}@${catalogVersion(root, name)}`);
        ({ folder } = await stranger.install(manager, `${manager}-examples`, [...names, ...others]));
        const servers = await startServers(folder, stranger.settings);
        try {
          writeExamples(folder, examples, servers);
          complaints = await compileExamples(join(root, "node_modules/.bin/tsc"), folder, stranger.settings);
          const queue = [...examples.entries()];
          const worker = async () => {
            for (let next = queue.shift(); next; next = queue.shift()) {
              const [index, example] = next;
              // Running each with both would take twice as long to learn the same of the doc comments.
              if (manager === "pnpm" && !example.file.endsWith(".md")) continue;
              ran.set(index, await runExample(folder, index, example, servers, stranger.settings));
            }
          };
          await Promise.all(Array.from({ length: availableParallelism() }, worker));
        } finally {
          await servers.close();
        }
      }, 300_000);

      it("finds no exception for an example that is gone", () => {
        expect(staleExceptions(examples)).toEqual([]);
      });

      it("meets no error in the packages' own declarations", () => {
        expect(complaints.get(-1) ?? []).toEqual([]);
      });

      it.each(
        examples.map((example, index) => {
          const way = wayToRun(example);
          const runs = manager === "npm" || example.file.endsWith(".md");
          const reason = way.kind === "compiles only" ? way.reason : "run with npm";
          const title = way.kind === "compiles only" || !runs ? `compiles (${reason})` : `compiles and ${way.kind}`;
          return [`${example.file}:${example.line}`, title, index] as const;
        }),
      )("%s %s", (_, __, index) => {
        expect(complaints.get(index) ?? []).toEqual([]);
        expect(ran.get(index)).toBeUndefined();
      });
    });
  });
});
