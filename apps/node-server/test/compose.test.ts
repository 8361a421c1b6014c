import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";

const app = resolve(import.meta.dirname, "..");
const { services } = parse(readFileSync(join(app, "compose.yaml"), "utf8"), { merge: true }) as {
  readonly services: { readonly app: { readonly environment: Readonly<Record<string, string>> } };
};

/** Resolves names as the Compose network does: "redis" has an address, every other name stays unknown. */
const nameServer = `data:text/javascript,${encodeURIComponent(`
  import dns from "node:dns";
  import { syncBuiltinESMExports } from "node:module";
  const { lookup } = dns;
  dns.lookup = (name, ...rest) => lookup(name === "redis" ? "127.0.0.1" : name, ...rest);
  syncBuiltinESMExports();
`)}`;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.close());

it("the demo starts with the environment of the Compose file, and keeps its values in that Redis", async () => {
  const { UPSTASH_REDIS_URL = "", ...others } = services.app.environment;
  expect(UPSTASH_REDIS_URL).toBe("redis://redis:6379");
  const variables = { ...others, UPSTASH_REDIS_URL: UPSTASH_REDIS_URL.replace("6379", String(redis.port)) };
  const program = await bundledProgram(join(app, "src/main.ts"));
  const child = spawn(process.execPath, ["--import", nameServer, program, "--once"], {
    cwd: app,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...variables },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "exit");
  expect(code, output).toBe(0);
  expect(output).toContain("Backend upstash: Redis");
  expect(output).not.toContain("Warning");
  expect(Number(await redis.command("DBSIZE"))).toBeGreaterThan(0);
}, 240_000);
