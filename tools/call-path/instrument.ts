import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { type Plugin, transform } from "esbuild";
import { parseSync, Visitor } from "oxc-parser";

/** A function of ours that the bundle tells of whenever it is entered. */
export interface TracedFunction {
  readonly file: string;
  readonly name: string;
  readonly line: number;
}

/** Makes every function of the packages call `globalThis.entered` with its place in `functions` when it begins. */
export function instrumenting(root: string, functions: TracedFunction[]): Plugin {
  return {
    name: "instrument",
    setup(build) {
      build.onLoad({ filter: /\/packages\/[^/]+\/src\/.*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        const { code } = await transform(source, { loader: "ts", target: "es2022", sourcefile: path });
        return { contents: instrumented(code, relative(root, path), functions), loader: "js" };
      });
    },
  };
}

/** What functions of every kind have in common. */
interface FunctionNode {
  readonly start: number;
  readonly id?: { readonly name: string } | null;
  readonly body?: { readonly type: string; readonly start: number; readonly end: number } | null;
}

function instrumented(code: string, file: string, functions: TracedFunction[]): string {
  const insertions: { readonly at: number; readonly text: string }[] = [];
  const enter = (node: FunctionNode): void => {
    const { body } = node;
    if (!body) return;
    const line = code.slice(0, node.start).split("\n").length;
    const id = functions.push({ file, name: nameOf(node, code), line }) - 1;
    if (body.type === "BlockStatement") {
      insertions.push({ at: body.start + 1, text: `globalThis.entered?.(${id});` });
    } else {
      insertions.push({ at: body.start, text: `(globalThis.entered?.(${id}), ` }, { at: body.end, text: ")" });
    }
  };
  new Visitor({
    FunctionDeclaration: enter,
    FunctionExpression: enter,
    ArrowFunctionExpression: enter,
  }).visit(parseSync(file.replace(/\.ts$/, ".js"), code).program);
  insertions.sort((a, b) => b.at - a.at);
  return insertions.reduce((text, { at, text: more }) => text.slice(0, at) + more + text.slice(at), code);
}

/** What stands before the function's parameters on its line, as far as it names it. */
function nameOf(node: FunctionNode, code: string): string {
  if (node.id) return node.id.name;
  const before = code.slice(Math.max(0, node.start - 80), node.start);
  return /([\w#$]+)\s*(?:=|:|\()?\s*(?:async\s*)?$/.exec(before)?.[1] ?? "anonymous";
}
