import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { publishablePackages } from "../publishing/publishable-packages.ts";
import { budgets, budgetsAtOnce } from "../sizes/budgets.ts";
import { entrySizes, kilobytes, labelOf, sizeSentence, statedSizes } from "../sizes/entry-sizes.ts";

const root = resolve(import.meta.dirname, "../..");
const sizes = await entrySizes(root);

describe("the size of what users import", () => {
  it.each(sizes.map((each) => [each.imported, each.entry, each] as const))(
    "of %s from %s is within its budget",
    (_, entry, each) => {
      const measured = `${kilobytes(each.size.gzip)}; the largest parts:\n${each.size.parts
        .slice(0, 8)
        .map(({ file, bytes }) => `${bytes} ${file}`)
        .join("\n")}`;
      expect(each.limitBytes, `${entry} needs a row in tools/sizes/budgets.ts: it is ${measured}`).toBeDefined();
      expect(each.size.gzip, measured).toBeLessThanOrEqual(each.limitBytes ?? 0);
    },
  );

  it.each(
    sizes.filter(({ size }) => size.gzipAtOnce < size.gzip).map((each) => [each.imported, each.entry, each] as const),
  )("of what %s from %s loads at once is within its budget", (imported, entry, { size }) => {
    const limitBytes = budgetsAtOnce[entry]?.[imported] ?? 0;
    expect(size.gzipAtOnce, "see budgetsAtOnce in tools/sizes/budgets.ts").toBeLessThanOrEqual(limitBytes);
  });

  it("has no budget for what is no public entry", () => {
    const entries = new Set(sizes.map(({ entry }) => entry));
    expect(Object.keys({ ...budgets, ...budgetsAtOnce }).filter((entry) => !entries.has(entry))).toEqual([]);
  });

  it.each(publishablePackages(root).map(({ folder }) => folder))("is what %s/README.md says", (folder) => {
    const measured = sizes.filter((each) => each.folder === folder);
    const stated = statedSizes(readFileSync(join(root, folder, "README.md"), "utf8"));
    const fix = `Write into ${folder}/README.md:\n${sizeSentence(measured)}`;
    expect([...(stated?.keys() ?? [])], fix).toEqual(
      measured.map(({ entry, imported }) => labelOf(entry, imported, measured[0]?.entry)),
    );
    for (const { entry, imported, size } of measured) {
      const kB = stated?.get(labelOf(entry, imported, measured[0]?.entry)) ?? 0;
      expect(Math.abs(kB / (size.gzip / 1_000) - 1), fix).toBeLessThanOrEqual(0.05);
    }
  });
});
