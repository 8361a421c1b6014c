import { resolve } from "node:path";
import { type BuildResult, build } from "esbuild";
import { describe, expect, it } from "vitest";

const runtimes = {
  Worker: { platform: "browser", conditions: ["workerd", "worker", "browser"] },
  Node: { platform: "node", conditions: ["node"] },
} as const;

type Bundle = BuildResult<{ write: false; metafile: true }>;

const bundle = (contents: string, runtime: keyof typeof runtimes): Promise<Bundle> =>
  build({
    stdin: { contents, resolveDir: resolve(import.meta.dirname, "..") },
    bundle: true,
    // What is imported by `import()` becomes a file of its own.
    splitting: true,
    outdir: "out",
    format: "esm",
    minify: true,
    write: false,
    metafile: true,
    ...runtimes[runtime],
    conditions: ["@continuum-cache/source", ...runtimes[runtime].conditions],
    logLevel: "silent",
  });

/** The sources that are loaded before the first line of the program runs. */
function loadedAtOnce({ metafile: { outputs } }: Bundle): string[] {
  const first = Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === "<stdin>");
  const loaded = new Set(first);
  for (const path of loaded) {
    for (const { path: next, kind, external } of outputs[path]?.imports ?? [])
      if (kind === "import-statement" && !external) loaded.add(next);
  }
  return [...loaded].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
}

const inputsOf = ({ metafile }: Bundle): string[] => Object.keys(metafile.inputs);

describe("a bundle of continuum-cache for a Worker", () => {
  it("has no ioredis, no @upstash/redis and no Node built-in in it", async () => {
    const contents =
      'import { UpstashCache } from "continuum-cache"; export default (env) => new UpstashCache({ env });';
    const made = await bundle(contents, "Worker");
    expect(inputsOf(made).filter((file) => /ioredis|@upstash|transport-tcp|node-http/.test(file))).toEqual([]);
    expect(inputsOf(made).some((file) => file.endsWith("no-tcp-backend.ts"))).toBe(true);
    for (const { text } of made.outputFiles) expect(text).not.toMatch(/["']node:/);
  });

  it.each([
    ["Worker", "UpstashCache of continuum-cache/rest", 'export { UpstashCache } from "continuum-cache/rest";'],
    ["Node", "everything of continuum-cache/rest", 'export * from "continuum-cache/rest";'],
    [
      "Worker",
      "Cache on plainRestTransport",
      'export { Cache } from "@continuum-cache/core"; export * from "@continuum-cache/transport-rest/plain";',
    ],
  ] as const)(
    "for a %s has, of %s, no other backend, codec, fallback or feature in it",
    async (runtime, _, contents) => {
      const made = await bundle(contents, runtime);
      const rest =
        /ioredis|@upstash|tcp-|msgpack|fflate|compressed|deflate|packages\/(pubsub|fallback|ratelimit|federation)/;
      const kept = Object.values(made.metafile.outputs).flatMap(({ inputs }) =>
        Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
      );
      expect(kept.length).toBeGreaterThan(50);
      expect(kept.filter((file) => rest.test(file))).toEqual([]);
    },
  );
});

/** What is loaded when it is used, by the packages' sources. */
const loadedLater =
  /ioredis|@upstash|transport-tcp|fallback-memory\/src\/(commands|values|keyspace|journal|recovery|engine|memory-transport|with-fallback)|core\/src\/streams\/(shared|reconnecting|open|grow|migrate)-stream|pubsub\/src\/(sources\/(channel-sources|replay)|history\/read|publishing)/;

describe("a default UpstashCache", () => {
  it.each(["Worker", "Node"] as const)(
    "loads neither fallback nor what listens and publishes in a %s before it is used",
    async (runtime) => {
      const made = await bundle('export { UpstashCache } from "continuum-cache";', runtime);
      const atOnce = loadedAtOnce(made).filter((file) => loadedLater.test(file));
      expect(atOnce).toEqual([]);
      // They are there for when it is.
      const sources = [
        "fallback-memory/src/with-fallback.ts",
        "core/src/streams/shared-stream.ts",
        "pubsub/src/publishing/publisher.ts",
      ];
      for (const source of sources) expect(inputsOf(made).filter((file) => file.endsWith(source))).toHaveLength(1);
    },
  );
});

describe("importing continuum-cache on Node", () => {
  it("loads neither ioredis, nor @upstash/redis, nor fflate", async () => {
    const made = await bundle('export * from "continuum-cache";', "Node");
    expect(loadedAtOnce(made).filter((file) => /ioredis|@upstash|transport-tcp|fflate/.test(file))).toEqual([]);
    expect(loadedAtOnce(made).filter((file) => loadedLater.test(file))).toEqual([]);
    // They are there when a cache speaks the Redis protocol.
    expect(inputsOf(made).some((file) => /node_modules\/ioredis/.test(file))).toBe(true);
  });
});
