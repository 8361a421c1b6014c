import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
/** Written apart, so that this file itself passes. */
const word = ["who", "ever"].join("");
const said = (place: string) => new RegExp(`${place}: says "${word}"`);
const long = "long ".repeat(30);

describe("the style check", () => {
  let folder: string;
  const check = (file: string, text: string) => {
    writeFileSync(join(folder, file), text);
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "tools/check-style.mjs"), folder], {
      encoding: "utf8",
    });
    return { status, output: stdout + stderr };
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "style-"));
    spawnSync("git", ["init", "--quiet"], { cwd: folder });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ["a word without a subject in a comment", "a.ts", `// For ${word} reads it.\n`, said("a.ts:1")],
    ["such a word in a string", "a.ts", `\nexport const text = "For ${word} reads it";\n`, said("a.ts:2")],
    ["such a word in Markdown", "a.md", `# Title\n\nFor ${word} reads it.\n`, said("a.md:3")],
    ["a long comment", "a.ts", `// ${long}\n`, /a\.ts:1: prose of 153 columns/],
    ["a long paragraph of Markdown", "a.md", `# Title\n\n- ${long}\n`, /a\.md:3: prose of \d+ columns/],
    ["a long string", "a.ts", `export const text = "${long}";\n`, /a\.ts:1: prose of \d+ columns/],
    [
      "a long function",
      "a.ts",
      `export function f() {\n${"  g();\n".repeat(120)}}\n`,
      /a\.ts:1: a function of 122 lines; the most is 120/,
    ],
    [
      "shared variables",
      "a.ts",
      `export function f() {\n${[..."abcdef"].map((name) => `  let ${name} = 0;\n`).join("")}` +
        "  return () => (a = b = c = d = e = f);\n}\n",
      /a\.ts:1: inner functions share 6 variables: a, b, c, d, e, f/,
    ],
  ])("finds %s", (_, file, text, message) => {
    const { status, output } = check(file, text);
    expect(output).toMatch(message);
    expect(output).toContain("1 problem(s)");
    expect(status).toBe(1);
  });

  it.each([
    ["long code", "a.ts", `export const list = [${"1, ".repeat(60)}];\n`],
    ["a long table", "a.md", `| ${long} |\n`],
    ["a long link", "a.md", `[text](https://example.com/${"x".repeat(120)})\n`],
    ["long code in Markdown", "a.md", `\`\`\`sh\n${long}\n\`\`\`\n`],
    ["a long generated line", "a.md", `<!-- table: generated -->\n\n${long}\n\n<!-- table: end -->\n`],
    ["long tests", "a.test.ts", `it("works", () => {\n${"  g();\n".repeat(200)}});\n`],
    [
      "five shared variables",
      "a.ts",
      "function f() {\n  let a, b, c, d, e, g;\n  return () => a + b + c + d + e;\n}\n",
    ],
    ["what changelogs say", "CHANGELOG.md", `For ${word} reads it.\n`],
  ])("accepts %s", (_, file, text) => {
    expect(check(file, text)).toMatchObject({ status: 0 });
  });
});
