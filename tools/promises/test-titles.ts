import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "oxc-parser";

/** A test as its source names it: `${…}` and `%s` stand for what each run puts there. */
export interface TestTitle {
  readonly file: string;
  readonly title: string;
}

interface Syntax {
  readonly type: string;
  readonly [property: string]: unknown;
}

/** All tests of the repository, and the cases of the conformance suites. */
export function testTitles(root: string): TestTitle[] {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  return listed
    .split("\n")
    .filter((file) => /\/test\/.*\.ts$|^packages\/conformance\/src\/cases\//.test(file) && existsSync(join(root, file)))
    .sort()
    .flatMap((file) => titlesIn(file, readFileSync(join(root, file), "utf8")));
}

/** The titles in one source: of `describe` and `it` joined by " > ", or of the objects that are conformance cases. */
export function titlesIn(file: string, source: string): TestTitle[] {
  const found: TestTitle[] = [];
  const walk = (node: unknown, path: readonly string[]): void => {
    if (Array.isArray(node)) for (const each of node) walk(each, path);
    if (!isSyntax(node)) return;
    const { kind, title, inner } = testOf(node) ?? {};
    if (kind === "case" || kind === "test") found.push({ file, title: [...path, title].join(" > ") });
    if (kind === "group") walk(inner, [...path, title as string]);
    if (kind === "group" || kind === "test") return;
    for (const value of Object.values(node)) if (typeof value === "object") walk(value, path);
  };
  walk(parseSync(file, source).program, []);
  return found;
}

function testOf(node: Syntax): { kind: "group" | "test" | "case"; title: string; inner?: unknown } | undefined {
  if (node.type === "Property" && isSyntax(node["key"]) && node["key"]["name"] === "title") {
    const title = textOf(node["value"]);
    return title === undefined ? undefined : { kind: "case", title };
  }
  if (node.type !== "CallExpression") return undefined;
  const [first, ...inner] = node["arguments"] as readonly unknown[];
  const name = calledName(node["callee"]);
  const title = textOf(first);
  if (title === undefined) return undefined;
  if (name === "describe") return { kind: "group", title, inner };
  return name === "it" || name === "test" ? { kind: "test", title } : undefined;
}

/** `it` of `it.each(rows)(…)`, `it.skipIf(none)(…)` and `it(…)`. */
function calledName(callee: unknown): unknown {
  if (!isSyntax(callee)) return undefined;
  if (callee.type === "MemberExpression") return calledName(callee["object"]);
  if (callee.type === "CallExpression") return calledName(callee["callee"]);
  return callee["name"];
}

function textOf(node: unknown): string | undefined {
  if (!isSyntax(node)) return undefined;
  if (node.type === "Literal" && typeof node["value"] === "string") return node["value"];
  if (node.type !== "TemplateLiteral") return undefined;
  const quasis = node["quasis"] as readonly { readonly value: { readonly cooked: string } }[];
  return quasis.map(({ value }) => value.cooked).join("…");
}

const isSyntax = (value: unknown): value is Syntax => typeof (value as Syntax | null)?.type === "string";
