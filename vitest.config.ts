import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

// `@continuum-cache/source` makes workspace imports resolve to src/*.ts, so tests need no build.
const conditions = ["@continuum-cache/source", "node"];
const projectOf = (root: string) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name: root.split("/").at(-1) as string,
    root,
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});

export default defineConfig({
  test: {
    projects: ["packages", "apps"].flatMap((folder) =>
      readdirSync(folder).map((name) => projectOf(`${folder}/${name}`)),
    ),
  },
});
