import { join } from "node:path";
import { publishablePackages } from "../publishing/publishable-packages.ts";
import { budgets, nodeOnly } from "./budgets.ts";
import { type BundleSize, bundleSize } from "./bundle-size.ts";

/** One way to use one public entry, and what it costs. */
export interface EntrySize {
  readonly folder: string;
  /** `@continuum-cache/core/msgpack`. */
  readonly entry: string;
  /** `*` for everything, or the one name that is imported. */
  readonly imported: string;
  readonly limitBytes: number | undefined;
  readonly size: BundleSize;
}

/** Everything of every public entry, and the uses that `budgets` names. */
export async function entrySizes(root: string): Promise<EntrySize[]> {
  const found: EntrySize[] = [];
  for (const { folder, manifest } of publishablePackages(root)) {
    for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
      const source = typeof target === "string" ? undefined : target["@continuum-cache/source"];
      if (source === undefined) continue;
      const entry = join(manifest.name, subpath);
      const limits = budgets[entry] ?? {};
      for (const imported of new Set(["*", ...Object.keys(limits)])) {
        const names = imported === "*" ? "*" : `{ ${imported} }`;
        const runtime = nodeOnly.has(entry) ? "node" : "edge";
        const size = await bundleSize(`export ${names} from ${JSON.stringify(source)}`, join(root, folder), runtime);
        found.push({ folder, entry, imported, limitBytes: limits[imported], size });
      }
    }
  }
  return found;
}

/** `9.5 kB`: as READMEs state sizes. */
export function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}

/** The sentence in which the package's README states what was measured. */
export function sizeSentence(sizes: readonly EntrySize[]): string {
  const [first] = sizes;
  const parts = sizes.map(
    ({ entry, imported, size }) =>
      `${labelOf(entry, imported, first?.entry)} ${kilobytes(size.gzip)}${shareAtOnce(size)}`,
  );
  const runtime = sizes.every(({ entry }) => nodeOnly.has(entry)) ? "for Node" : "for the edge";
  return `**Size**, bundled ${runtime}, minified and gzipped: ${parts.join(", ")}.`;
}

const shareAtOnce = ({ gzip, gzipAtOnce }: BundleSize): string =>
  gzipAtOnce < gzip ? ` (${kilobytes(gzipAtOnce)} at once)` : "";

/** What such a sentence says: kB by label. */
export function statedSizes(readme: string): ReadonlyMap<string, number> | undefined {
  const sentence = /^\*\*Size\*\*, bundled [\w ]+, minified and gzipped:\s([\s\S]+?)\.$/m.exec(readme)?.[1];
  if (sentence === undefined) return undefined;
  return new Map(
    sentence
      .replace(/\s+/g, " ")
      .split(", ")
      .flatMap((part) => {
        const [, label, kB] = /^(.+) ([\d.]+) kB(?: \([\d.]+ kB at once\))?$/.exec(part) ?? [];
        return label === undefined ? [] : [[label, Number(kB)] as const];
      }),
  );
}

/**
 * `everything`, `` `Cache` ``; of a further entry `` `/msgpack` `` for everything, or `` `UpstashCache` of `/rest` ``.
 */
export function labelOf(entry: string, imported: string, main = entry): string {
  const further = `\`${entry.slice(main.length)}\``;
  if (imported === "*") return entry === main ? "everything" : further;
  return entry === main ? `\`${imported}\`` : `\`${imported}\` of ${further}`;
}
