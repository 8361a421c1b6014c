import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

it("exports at most 60 names to users: what authors of packages need is in core/kit", () => {
  const source = readFileSync(join(import.meta.dirname, "../src/index.ts"), "utf8");
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].map(([, names = ""]) => names);
  const names = lists.flatMap((list) => list.split(",")).filter((name) => name.trim() !== "");
  expect(names.length).toBeGreaterThan(40);
  expect(names.length).toBeLessThanOrEqual(60);
});
