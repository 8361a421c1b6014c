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
  readonly with?: Readonly<Record<string, string | number>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly "timeout-minutes": number;
        readonly permissions?: Readonly<Record<string, string>>;
        readonly strategy?: { readonly matrix: { readonly node: readonly string[] } };
        readonly steps: readonly Step[];
      }
    >
  >;
}

const read = (name: string) => parse(readFileSync(join(folder, name), "utf8")) as Workflow;
const scripts: Readonly<Record<string, string>> = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;

describe("the workflows", () => {
  const all = readdirSync(folder).map((name) => [name, read(name)] as const);

  it.each(all)(
    "%s ends in time, says what it may do, and gives every step something to do",
    (_, { jobs, permissions }) => {
      expect(permissions).toBeDefined();
      for (const job of Object.values(jobs)) {
        expect(job["timeout-minutes"]).toBeLessThanOrEqual(60);
        for (const step of job.steps)
          expect([step.uses, step.run].filter((each) => each !== undefined)).toHaveLength(1);
      }
    },
  );

  it("CI runs what .ci/run runs, on every pull request and on each supported Node", () => {
    const { on, jobs } = read("ci.yml");
    expect(Object.keys(on).sort()).toEqual(["pull_request", "push"]);
    expect(jobs["test"]?.steps.map(({ run }) => run)).toContain("bash .ci/run");
    expect(jobs["test"]?.strategy?.matrix.node).toEqual(["20", "22", "24"]);
  });

  it("a release runs every check first, and publishes from main alone, with a proof of where it was built", () => {
    const { on, jobs, permissions } = read("release.yml");
    expect(on).toEqual({ push: { branches: ["main"] } });
    expect(permissions).toEqual({});
    const { steps = [], permissions: own } = jobs["release"] ?? {};
    expect(own).toEqual({ contents: "write", "pull-requests": "write", "id-token": "write" });
    const publishing = steps.findIndex(({ uses }) => uses?.startsWith("changesets/action@"));
    const checking = steps.findIndex(({ run }) => run === "bash .ci/run");
    expect(checking).toBeGreaterThanOrEqual(0);
    expect(publishing).toBeGreaterThan(checking);
    expect(steps[publishing]?.env).toMatchObject({ PNPM_CONFIG_PROVENANCE: "true" });
    expect(steps[publishing]?.with).toMatchObject({ publish: "pnpm release", version: "pnpm changeset version" });
    expect(scripts["release"]).toMatch(/build && changeset publish$/);
  });
});
