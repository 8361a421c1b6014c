import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { type BuildResult, build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { describeTransport, expectRejection } from "../../packages/conformance/src/index.ts";
import { type RedisServer, startRedisServer } from "../../packages/conformance/src/servers.ts";
import type { Cache, Transport } from "../../packages/core/src/index.ts";
import { startUpstashLocal, type UpstashLocal } from "../../packages/upstash-local/src/index.ts";

// What the documents show, taken from them, run, and held to what they say.

const root = resolve(import.meta.dirname, "../..");
/** The one place where all our packages, and node-redis, are dependencies. */
const home = join(root, "apps", "bench");
mkdirSync(join(home, ".cache"), { recursive: true });
const work = mkdtempSync(join(home, ".cache", "stacks-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

interface Section {
  readonly title: string;
  readonly code: string;
  readonly text: string;
}

/** The sections of a document that hold an example. */
function sectionsOf(file: string): Section[] {
  const sections = readFileSync(join(root, file), "utf8").split(/^## /m).slice(1);
  return sections.flatMap((text) => {
    const code = /^```ts\n([\s\S]*?)^```/m.exec(text)?.[1];
    return code === undefined ? [] : [{ title: text.split("\n")[0] ?? "", code, text }];
  });
}

const bundle = (code: string): Promise<BuildResult<{ write: false; metafile: true }>> =>
  build({
    stdin: { contents: code, resolveDir: home, loader: "ts" },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["@continuum-cache/source", "node"],
    // Used by `debug` only where something else has installed it, as this repository's tools have.
    external: ["supports-color"],
    banner: { js: `import { createRequire as from } from "node:module"; const require = from(import.meta.url);` },
    logLevel: "silent",
  });

/** Runs an example in this process. @returns what it exports. */
async function load(code: string): Promise<Readonly<Record<string, unknown>>> {
  const file = join(mkdtempSync(join(work, "run-")), "example.mjs");
  writeFileSync(file, (await bundle(code)).outputFiles[0]?.text ?? "");
  return await import(pathToFileURL(file).href);
}

/** Every package of which a bundle holds a file: ours, and those of others. */
function packagesIn(files: readonly string[]): { readonly ours: string[]; readonly others: string[] } {
  const names = (pattern: RegExp): string[] =>
    [...new Set(files.flatMap((file) => pattern.exec(file)?.[1] ?? []))].sort();
  return { ours: names(/^packages\/([^/]+)/), others: names(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/) };
}

const stacks = sectionsOf("docs/STACKS.md");
const [ownTransport] = sectionsOf("CONTRIBUTING.md");

let redis: RedisServer;
let rest: UpstashLocal;
beforeAll(async () => {
  redis = await startRedisServer({ appendonly: true });
  rest = await startUpstashLocal({ port: 0, redisUrl: redis.url });
});
afterAll(async () => {
  await rest.close();
  await redis.close();
});

/** The same example with the addresses of this run. */
const addressed = ({ code }: Section): string =>
  code
    .replace("https://my-database.upstash.io", rest.url)
    .replace('token: "…"', `token: ${JSON.stringify(rest.token)}`)
    .replace("redis://127.0.0.1:6379", redis.url);

it("every example compiles", () => {
  for (const [index, { code }] of [...stacks, ...sectionsOf("CONTRIBUTING.md")].entries())
    writeFileSync(join(work, `example-${index}.ts`), code);
  const tsconfig = { extends: join(root, "tsconfig.test.json"), include: ["./*.ts"] };
  writeFileSync(join(work, "tsconfig.json"), JSON.stringify(tsconfig));
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", work], { encoding: "utf8" });
  expect(stdout).toBe("");
});

describe.each(stacks)("the stack of $title", (section) => {
  it("prints what its comments say", async () => {
    await redis.command("FLUSHALL");
    const print = vi.spyOn(console, "log").mockImplementation(() => {});
    await load(addressed(section));
    const printed = print.mock.calls.map((values) => format(...values));
    print.mockRestore();
    const said = [...section.code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    expect(said.length).toBeGreaterThan(0);
    expect(printed).toEqual(said);
  });

  it("brings what is written under it, and nothing else", async () => {
    const { metafile } = await bundle(section.code);
    const { ours, others } = packagesIn(Object.keys(metafile.inputs));
    const imported = [...section.code.matchAll(/from "@continuum-cache\/([\w-]+)/g)].map(([, name]) => name);
    expect(ours).toEqual([...new Set(imported)].sort());
    const written = /Brings along: ([^.]*)\./.exec(section.text)?.[1]?.match(/[^`,\s]+/g) ?? [];
    expect(others).toEqual(written);
  });
});

describe("in an outage", () => {
  const open = async (title: string): Promise<Cache> => {
    const section = stacks.find((each) => each.title.startsWith(title));
    if (!section) throw new Error(`Expected a section ${title}`);
    vi.spyOn(console, "log").mockImplementation(() => {});
    const { openCache } = await load(addressed(section));
    vi.restoreAllMocks();
    return (openCache as () => Cache)();
  };

  it("REST only rejects, and goes on when the server is back", async () => {
    const cache = await open("REST only");
    await cache.set("k", 1);
    rest.fault("refuse");
    await expect(cache.get("k")).rejects.toMatchObject({ name: "TransportError", kind: "unreachable" });
    rest.fault(undefined);
    expect(await cache.get("k")).toBe(1);
    await cache.close();
  });

  it("the Redis protocol with a fallback answers from memory, and tells Redis when it is back", async () => {
    const cache = await open("The Redis protocol");
    await cache.set("k", "before");
    await redis.kill();
    expect([await cache.delete("k"), cache.currentBackend]).toEqual([0, "local"]);
    expect([await cache.set("other", "meanwhile"), await cache.get("other")]).toEqual([true, "meanwhile"]);
    await redis.restart();
    await expect.poll(() => cache.currentBackend).toBe("upstash");
    expect(await redis.command("MGET", "k", "other")).toEqual([null, '"meanwhile"']);
    await cache.close();
  });

  it("memory only knows of none", async () => {
    const cache = await open("Memory only");
    rest.fault("refuse");
    await cache.set("k", 1);
    rest.fault(undefined);
    expect(await cache.get("k")).toBe(1);
    await cache.close();
  });

  it("two codecs: values from before the change are JSON in Redis, values from after it are not", async () => {
    const cache = await open("Two codecs");
    expect(await redis.command("GET", "old")).toBe('{"written":"as JSON"}');
    expect(await redis.command("GET", "new")).not.toMatch(/^[{"]/);
    await cache.close();
  });
});

describe("the transport in the guide", () => {
  let nodeRedisTransport: (url: string) => Transport;
  beforeAll(async () => {
    const exported = await load(ownTransport?.code ?? "");
    nodeRedisTransport = exported["nodeRedisTransport"] as typeof nodeRedisTransport;
  });

  it("takes fewer than 60 lines", () => {
    expect(ownTransport?.title).toBe("Add a transport");
    expect(ownTransport?.code.trimEnd().split("\n").length).toBeLessThan(60);
  });

  it("is over a client of its own, not over one of our transports", async () => {
    const { metafile } = await bundle(ownTransport?.code ?? "");
    const { ours, others } = packagesIn(Object.keys(metafile.inputs));
    expect(ours).toEqual(["core"]);
    expect(others).toContain("redis");
    expect(others).not.toContain("ioredis");
  });

  describeTransport("node-redis", () => nodeRedisTransport(redis.url), {
    describe,
    it,
    afterAll,
    faults: { stall: () => redis.freeze(), resume: () => redis.thaw() },
  });

  it("rejects while Redis is dead, and connects again with the next call", async () => {
    const transport = nodeRedisTransport(redis.url);
    expect(await transport.send([["PING"]])).toEqual(["PONG"]);
    await redis.kill();
    await expectRejection(transport.send([["PING"]]), "unreachable");
    const refused = await expectRejection(transport.send([["INCR", "n"]]), "unreachable");
    expect(refused.delivery).toBe("none");
    await redis.restart();
    expect(await transport.send([["PING"]])).toEqual(["PONG"]);
    await transport.close();
  });
});
