import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Example {
  /** Where it stands: `packages/core/README.md`. */
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

/** Every ```ts fence of the guides at the root and in `docs`; those of STACKS.md have a test of their own. */
export function guideExamples(root: string): Example[] {
  const guides = ["", "docs"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md") && name !== "STACKS.md")
      .map((name) => join(folder, name)),
  );
  return guides.flatMap((file) => fences(file, readFileSync(join(root, file), "utf8")));
}

/** Every ```ts fence in the README and in the doc comments of the package or app in `folder`. */
export function packageExamples(root: string, folder: string): Example[] {
  const readme = join(folder, "README.md");
  const sources = readdirSync(join(root, folder, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, "src", name));
  return [
    ...(existsSync(join(root, readme)) ? fences(readme, readFileSync(join(root, readme), "utf8")) : []),
    ...sources.flatMap((file) => fences(file, readFileSync(join(root, file), "utf8").replace(/^ *\* ?/gm, ""))),
  ];
}

function fences(file: string, text: string): Example[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => ({
    file,
    line: text.slice(0, match.index).split("\n").length,
    code: match[1] as string,
  }));
}
