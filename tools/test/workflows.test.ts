import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, ".github/workflows");
// The parser that knip reads workflows with.
const { parse } = createRequire(join(root, "node_modules/knip/package.json"))("yaml") as {
  parse(text: string): unknown;
};

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly "timeout-minutes": number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly needs?: string;
  readonly if?: string;
  readonly environment?: string;
  readonly strategy?: { readonly matrix: { readonly node: readonly string[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const textOf = (name: string) => readFileSync(join(folder, name), "utf8");
const read = (name: string) => parse(textOf(name)) as Workflow;
const scripts: Readonly<Record<string, string>> = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;
const isCheckout = ({ uses }: Step) => uses?.startsWith("actions/checkout@");
const isPublishing = ({ with: options }: Step) => options?.["publish"] !== undefined;
const hasCheck = ({ steps }: Job) => steps.some(({ run }) => run === "bash .ci/run");

describe("the workflows", () => {
  const all = readdirSync(folder).map((name) => [name, read(name)] as const);

  it.each(all)("%s ends in time and gives every step something to do", (_, { jobs }) => {
    for (const job of Object.values(jobs)) {
      expect(job["timeout-minutes"]).toBeLessThanOrEqual(60);
      for (const step of job.steps) expect([step.uses, step.run].filter((each) => each !== undefined)).toHaveLength(1);
    }
  });

  it.each(all)("%s runs only actions of a fixed commit, with their version beside it", (name) => {
    const used = textOf(name).match(/uses: .*$/gm) ?? [];
    expect(used.length).toBeGreaterThan(0);
    for (const line of used) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it.each(all)("%s never runs a fork's code or an event's text with its own rights", (_, { on, permissions, jobs }) => {
    // Other triggers run with the repository's secrets for a fork's pull request.
    for (const trigger of Object.keys(on)) expect(["push", "pull_request"]).toContain(trigger);
    expect(permissions).toEqual({});
    for (const { steps, permissions: own } of Object.values(jobs)) {
      expect(own).toBeDefined();
      for (const { run = "" } of steps) expect(run).not.toContain("${{");
      for (const { with: options } of steps.filter(isCheckout))
        expect(options).toMatchObject({ "persist-credentials": false });
    }
  });

  it.each(all)("%s gives jobs that run the tests nothing but read access, and no secret", (_, { jobs }) => {
    for (const job of Object.values(jobs).filter(hasCheck)) {
      expect(job.permissions).toEqual({ contents: "read" });
      expect(JSON.stringify(job)).not.toContain("secrets.");
    }
  });

  it("CI runs what .ci/run runs, on every pull request and on each supported Node", () => {
    const { on, jobs } = read("ci.yml");
    expect(Object.keys(on).sort()).toEqual(["pull_request", "push"]);
    expect(jobs["test"]?.steps.map(({ run }) => run)).toContain("bash .ci/run");
    expect(jobs["test"]?.strategy?.matrix.node).toEqual(["20", "22", "24"]);
  });

  it("a release runs every check first, then either raises the version or publishes, from main alone", () => {
    const { on, jobs } = read("release.yml");
    expect(on).toEqual({ push: { branches: ["main"] } });
    const { check, version, publish, ...others } = jobs;
    expect(others).toEqual({});
    expect(check && hasCheck(check)).toBe(true);
    expect([version?.needs, publish?.needs]).toEqual(["check", "check"]);
    expect([version?.if, publish?.if]).toEqual(
      ["true", "false"].map((exist) => `needs.check.outputs.changesets == '${exist}'`),
    );
    expect(version?.permissions).toEqual({ contents: "write", "pull-requests": "write" });
    expect(version?.steps.at(-1)?.with).toMatchObject({ version: "pnpm changeset version" });
    expect(version?.steps.filter(isPublishing)).toEqual([]);
    expect(JSON.stringify(version)).not.toContain("secrets.");
  });

  it("publishing has a proof of where a package was built, and shows the token to one step", () => {
    const { publish } = read("release.yml").jobs;
    expect(publish?.permissions).toEqual({ contents: "write", "id-token": "write" });
    expect(publish?.environment).toBe("npm");
    const { steps = [] } = publish ?? {};
    const publishing = steps.filter(isPublishing);
    expect(publishing).toEqual([steps.at(-1)]);
    expect(publishing[0]?.with).toEqual({ publish: "pnpm release" });
    expect(publishing[0]?.env).toMatchObject({ PNPM_CONFIG_PROVENANCE: "true" });
    expect(steps.filter((step) => JSON.stringify(step).includes("secrets."))).toEqual(publishing);
    expect(steps.map(({ run }) => run)).toContain("pnpm install --frozen-lockfile --ignore-scripts");
    expect(scripts["release"]).toMatch(/build && changeset publish$/);
  });
});
