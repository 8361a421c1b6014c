// Lists what breaks the rules of plain words and small machines: `node tools/check-style.mjs [root] [folder…]`.
// Rules: no word without a subject and no prose beyond column 120, in comments, strings and Markdown; no function of
// more than 120 lines, and none whose inner functions share more than five variables.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseSync } from "oxc-parser";

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."));
const folders = process.argv.slice(3);
const mostColumns = 120;
const mostLines = 120;
const mostShared = 5;
const vague = /\b(whoever|somebody|nobody|anybody)\b/i;
/** What changelogs said stays as it was said; the license and generated files are not ours to word. */
const isExempt = (file) =>
  /CHANGELOG\.md$|^LICENSE$|pnpm-lock|\.html$|docs\/(benchmarks|promises)\.md$|page-html\.ts$/.test(file);

const problems = [];
for (const file of filesOf()) {
  const text = readFileSync(join(root, file), "utf8");
  if (file.endsWith(".md")) checkLines(file, text, () => true);
  else checkCode(file, text);
}
if (problems.length > 0) {
  console.error(problems.join("\n"));
  console.error(`\n${problems.length} problem(s). The rules are in CONTRIBUTING.md.`);
  process.exit(1);
}
console.log(
  "Style: plain words, prose within 120 columns, no function over 120 lines or with more than five shared variables.",
);

function filesOf() {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", ...folders], {
    cwd: root,
    encoding: "utf8",
  });
  return listed.split("\n").filter((file) => /\.(md|mjs|ts|tsx|css)$/.test(file) && !isExempt(file) && existsIn(file));
}

function existsIn(file) {
  try {
    readFileSync(join(root, file));
    return true;
  } catch {
    return false;
  }
}

function checkLines(file, text, isProse) {
  let isFenced = false;
  let isGenerated = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (!isProse(index)) continue;
    if (vague.test(line)) report(file, index, `says "${vague.exec(line)[0]}": name the subject`);
    if (!file.endsWith(".md")) {
      if (line.length > mostColumns) report(file, index, `prose of ${line.length} columns; the most is ${mostColumns}`);
      continue;
    }
    if (/^\s*```/.test(line)) isFenced = !isFenced;
    if (/^<!-- .*: generated -->$/.test(line)) isGenerated = true;
    if (/^<!-- .*: end -->$/.test(line)) isGenerated = false;
    if (!isFenced && !isGenerated && !file.startsWith(".changeset/") && isTooLong(line))
      report(file, index, `prose of ${line.length} columns; the most is ${mostColumns}`);
  }
}

/** Whether a line of Markdown is too long, and could end earlier: a table, a link and a command line can't. */
function isTooLong(line) {
  if (line.length <= mostColumns || /^\s*(\||#|<|\[[^\]]+\]: )/.test(line)) return false;
  const units = line.trim().replace(/`[^`]*`/g, (code) => code.replaceAll(" ", "_"));
  return units.lastIndexOf(" ", mostColumns) > 0;
}

function checkCode(file, text) {
  const { program, comments, errors } = parseSync(file, text);
  if (errors.length > 0) {
    if (file.endsWith(".css")) return;
    report(file, 0, errors[0].message);
    return;
  }
  const starts = lineStarts(text);
  const prose = new Set();
  const mark = (from, to) => {
    for (let line = lineAt(starts, from); line <= lineAt(starts, to); line++) prose.add(line);
  };
  for (const { start, end } of comments) mark(start, end);
  walk(program, undefined, (node) => {
    if (node.type === "Literal" && typeof node.value === "string" && /\s/.test(node.value))
      mark(node.start, node.end - 1);
    // A part of a template is prose where it has some words, and code where it only separates values.
    if (node.type === "TemplateElement" && /(\p{L}+[ ,;:]+){3}/u.test(node.value.raw) && !node.value.raw.includes("\n"))
      mark(node.start, node.end - 1);
  });
  checkLines(file, text, (index) => prose.has(index));
  checkFunctions(file, program, starts);
}

/**
 * The functions that are long, or keep their state in too many variables. Tests are lists of cases: their callbacks may
 * be long.
 */
function checkFunctions(file, program, starts) {
  if (/(^|\/)test\/|\.test\./.test(file)) return;
  walk(program, undefined, (node) => {
    if (!/Function/.test(node.type) || !node.body) return;
    const lines = lineAt(starts, node.end - 1) - lineAt(starts, node.start) + 1;
    if (lines > mostLines)
      report(file, lineAt(starts, node.start), `a function of ${lines} lines; the most is ${mostLines}`);
    const shared = sharedVariables(node);
    if (shared.length > mostShared)
      report(
        file,
        lineAt(starts, node.start),
        `inner functions share ${shared.length} variables: ${shared.join(", ")}`,
      );
  });
}

/** The `let`s of a function's own body that inner functions read or write. */
function sharedVariables(node) {
  const own = (Array.isArray(node.body.body) ? node.body.body : [])
    .filter((each) => each?.type === "VariableDeclaration" && each.kind === "let")
    .flatMap(({ declarations }) => declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : [])));
  if (own.length <= mostShared) return [];
  const used = new Set();
  walk(node.body, undefined, (inner) => {
    if (!/Function/.test(inner.type)) return;
    walk(inner, undefined, (each) => {
      if (each.type === "Identifier" && own.includes(each.name)) used.add(each.name);
    });
  });
  return own.filter((name) => used.has(name));
}

function walk(node, parent, visit) {
  if (!node || typeof node.type !== "string") return;
  visit(node, parent);
  for (const [key, value] of Object.entries(node)) {
    if (key === "parent") continue;
    if (Array.isArray(value)) for (const each of value) walk(each, node, visit);
    else if (value && typeof value === "object" && typeof value.type === "string") walk(value, node, visit);
  }
}

function lineStarts(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineAt(starts, position) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

function report(file, index, message) {
  problems.push(`${file}:${index + 1}: ${message}`);
}
