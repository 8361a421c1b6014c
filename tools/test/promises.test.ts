import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { promisesDocument, provenPromises } from "../promises/promises-document.ts";
import { titlesIn } from "../promises/test-titles.ts";

const root = resolve(import.meta.dirname, "../..");
const proven = provenPromises(root);

describe("the promises", () => {
  it.each(proven)("have tests: $promise", ({ tests, unmatched, saidIn }) => {
    expect(unmatched, "No test is selected by: change tools/promises/promises.ts").toEqual([]);
    expect(tests.length).toBeGreaterThan(0);
    expect(saidIn.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it("are in docs/promises.md as the tests' titles say now", () => {
    const written = readFileSync(join(root, "docs/promises.md"), "utf8");
    const isCurrent = written === promisesDocument(proven);
    expect(isCurrent, "Run `npx --yes pnpm@12.21.0 promises`: titles or files of tests have changed").toBe(true);
  });
});

describe("the titles of tests", () => {
  it("are found in groups, in tables, in templates and in conformance cases", () => {
    const source = `
      describe.each(rows)("over $name", () => {
        it("works", () => { describe("no test", x); });
        it.skipIf(none).each([1])(\`does \${more} of it\`, run);
      });
      test("alone", run);
      const cases = [{ title: "a case", run }];
      other("no test", run);`;
    expect(titlesIn("a.ts", source).map(({ title }) => title)).toEqual([
      "over $name > works",
      "over $name > does … of it",
      "alone",
      "a case",
    ]);
  });
});
