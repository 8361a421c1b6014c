import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { publishablePackages } from "../publishing/publishable-packages.ts";

const root = resolve(import.meta.dirname, "../..");

// Every bundle carries the text of its scripts, and no minifier shortens it.
it("finds no comment in the Lua of any package: it stands above the text, as a comment of TypeScript", () => {
  const sources = publishablePackages(root).flatMap(({ folder }) =>
    readdirSync(join(root, folder, "src"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, "src", name)),
  );
  expect(sources).toContain("packages/ratelimit/src/algorithms/limit-script-lua.ts");
  const comments = sources.flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (/^\s*-- /.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(comments).toEqual([]);
});
