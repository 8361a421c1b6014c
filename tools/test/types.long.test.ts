import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publishablePackages } from "../publishing/publishable-packages.ts";
import { openTypeProject, type TypeProject, type TypeSetup } from "../publishing/type-project.ts";

const root = resolve(import.meta.dirname, "../..");
let project: TypeProject;
beforeAll(async () => {
  project = await openTypeProject(root);
}, 600_000);
afterAll(() => project?.close());

/** What an edge function imports. */
const edge = `
import { Cache, type CacheOptions } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { FederationQueue } from "@continuum-cache/federation-queue";
import { PubSub } from "@continuum-cache/pubsub";
import { RateLimiter } from "@continuum-cache/ratelimit";
import { restTransport } from "@continuum-cache/transport-rest";
import { keys, UpstashCache } from "continuum-cache";

const options: CacheOptions = { transport: withFallback(restTransport({ url: "https://x.upstash.io", token: "t" }), memoryTransport()) };
const cache = new Cache(options);
export const text: Promise<string | undefined> = cache.get<string>("a");
export const all = [new UpstashCache({ env: {} }), keys, new RateLimiter(cache), new PubSub(cache), new FederationQueue(cache)];
// @ts-expect-error -- with exactOptionalPropertyTypes, absent and undefined differ
export const wrong: CacheOptions = { ...options, maxValueBytes: undefined };
`;

/** Every entry of every package. */
const entries = (): string =>
  publishablePackages(root)
    .flatMap(({ manifest }) =>
      Object.keys(manifest.exports ?? {})
        .filter((entry) => !entry.endsWith(".json"))
        .map((entry) => manifest.name + entry.slice(1)),
    )
    .map((entry, index) => `export * as entry${index} from ${JSON.stringify(entry)};\n`)
    .join("");

const clients = `
import { tcpTransport, type TcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";

const six = tcpTransport({ client: new Redis() });
const five = tcpTransport({ client: new Redis5({ host: "localhost" }) });
export const clients: [Redis, Redis5] = [six.client, five.client];
export const own: TcpTransport = tcpTransport({ url: "redis://localhost" });
export const its: Redis = own.client;
// @ts-expect-error -- no client of ioredis
tcpTransport({ client: { connect() {} } });
// @ts-expect-error -- no such option
tcpTransport({ uri: "redis://localhost" });
`;

const forEdge = { typescript: "5.9", types: [], module: "ESNext", moduleResolution: "Bundler" } as const;
const forNode = { lib: ["ES2022"], types: ["node"] } as const;

describe("with skipLibCheck: false and exactOptionalPropertyTypes, no declaration of ours is an error", {
  timeout: 300_000,
}, () => {
  it.each<[string, TypeSetup]>([
    ["with neither DOM, nor Node's types, nor disposables", { ...forEdge, lib: ["ES2022"] }],
    ["with disposables", { ...forEdge, lib: ["ES2022", "ESNext.Disposable"] }],
    ["with the DOM", { ...forEdge, lib: ["ES2022", "DOM"] }],
    ["with everything", { ...forEdge, lib: ["ESNext", "DOM", "DOM.Iterable"] }],
    ["with the types of Workers", { ...forEdge, lib: ["ES2022"], types: ["@cloudflare/workers-types"] }],
    ["with our own TypeScript", { ...forEdge, lib: ["ES2022"], typescript: "own" }],
  ])("in a program for the edge %s", async (_, setup) => {
    expect(await project.complaints(edge, setup)).toEqual([]);
  });

  it.each<[string, TypeSetup]>([
    ["NodeNext", { ...forNode, typescript: "5.9", module: "NodeNext", moduleResolution: "NodeNext" }],
    [
      "NodeNext, our own TypeScript",
      { ...forNode, typescript: "own", module: "NodeNext", moduleResolution: "NodeNext" },
    ],
    ["Bundler", { ...forNode, typescript: "5.9", module: "ESNext", moduleResolution: "Bundler" }],
    ["node10", { ...forNode, typescript: "5.9", module: "ESNext", moduleResolution: "node10" }],
    ["node10 and CommonJS", { ...forNode, typescript: "5.9", module: "CommonJS", moduleResolution: "node10" }],
  ])("in a program for Node that resolves modules by %s, in any entry", async (_, setup) => {
    expect(await project.complaints(entries(), setup)).toEqual([]);
    expect(await project.complaints(clients, setup)).toEqual([]);
  });
});
