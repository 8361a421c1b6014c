// Writes src/page-html.ts, the page with its script and its style in one module: Workers and Lambda have no files to
// serve. `npx --yes pnpm@12.21.0 --filter @continuum-cache/program page`
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const source = join(import.meta.dirname, "../src/page");
/** The path of the module that `bundlePage` writes the text of. */
export const pageModule: string = join(source, "../page-html.ts");

export async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(source, "main.ts"), join(source, "page.css")],
    outdir: source,
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    conditions: ["@continuum-cache/source"],
  });
  const textOf = (name: string): string => {
    const file = outputFiles.find(({ path }) => path.endsWith(name));
    return escaped(file?.text.trim() ?? "");
  };
  let html = escaped(readFileSync(join(source, "page.html"), "utf8"));
  const put = (link: string, content: string): void => {
    if (!html.includes(link)) throw new Error(`Expected page.html to have ${link}`);
    html = html.replace(link, () => content);
  };
  put('<link rel="stylesheet" href="page.css">', `<style nonce="\${nonce}">${textOf("page.css")}</style>`);
  put('<script type="module" src="main.ts">', `<script type="module" nonce="\${nonce}">${textOf("main.js")}`);
  return `// Written by scripts/write-page.ts from src/page: edit that, then run it.

/**
 * The page, whole: nothing else is loaded.
 *
 * @param nonce - The one in the answer's Content-Security-Policy, which allows no other script or style. Never a
 * visitor's text.
 */
export function pageHtml(nonce: string): string {
  return \`${html}\`;
}
`;
}

/** Escapes a text as the content of a template literal. */
const escaped = (text: string): string => text.replace(/[\\`]|\$(?=\{)/g, "\\$&");

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) writeFileSync(pageModule, await bundlePage());
