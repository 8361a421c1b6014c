import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

// Miniflare is a dependency of the packages that are tested in it, and is found through one of them.
const fromPackage = createRequire(resolve(import.meta.dirname, "../../packages/ratelimit/package.json"));
const entry = fromPackage.resolve("miniflare");
const fromMiniflare = createRequire(entry);

/** As the dependency's manifest has it. */
export const workerdVersion: string = JSON.parse(
  readFileSync(fromMiniflare.resolve("workerd/package.json"), "utf8"),
).version;

/** The part of Miniflare that is used here. */
interface Worker {
  readonly ready: Promise<URL>;
  dispatchFetch(url: string): Promise<{ readonly status: number; text(): Promise<string> }>;
  dispose(): Promise<void>;
}

/** Runs a bundled Worker in workerd, asks it once, and returns what it answers. */
export async function askWorker(bundle: string, bindings: Readonly<Record<string, string>>): Promise<string> {
  const { Miniflare } = (await import(pathToFileURL(entry).href)) as { Miniflare: new (options: object) => Worker };
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents: bundle }],
    compatibilityDate: "2026-04-26",
    bindings,
    cf: false,
  });
  try {
    const answer = await worker.dispatchFetch("http://worker/");
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`The Worker answered ${answer.status}: ${text.slice(0, 2_000)}`);
    return text;
  } finally {
    await worker.dispose();
  }
}
