// Measures cold starts, interleaved with those of a function that has a bare @upstash/redis:
// `node --import tsx scripts/cold-start.ts [rounds]`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { build } from "esbuild";
import { version2 } from "../test/events.ts";
import { startLambda } from "../test/runtime/lambda-runtime.ts";
import { bundleFunction } from "./bundle.ts";

const bare = `
  import { Redis } from "@upstash/redis";
  const redis = Redis.fromEnv();
  export const handler = async () => ({ statusCode: 200, body: JSON.stringify({ value: await redis.get("key") }) });`;

const rounds = Number(process.argv[2] ?? 11);
const local = await startUpstashLocal({ port: 0, token: "local" });
const env = { UPSTASH_REDIS_REST_URL: local.url, UPSTASH_REDIS_REST_TOKEN: local.token };
const tasks = { demo: mkdtempSync(join(tmpdir(), "cold-")), bare: mkdtempSync(join(tmpdir(), "cold-")) };
await bundleFunction(tasks.demo);
await build({
  stdin: { contents: bare, resolveDir: join(import.meta.dirname, "../../../packages/transport-rest") },
  outfile: join(tasks.bare, "index.mjs"),
  bundle: true,
  minify: true,
  format: "esm",
  platform: "node",
});

/**
 * How long the function takes to ask for its first event, to answer it, and to answer a second one: in milliseconds.
 */
type Times = readonly [init: number, first: number, second: number];
const measured: Record<keyof typeof tasks, Times[]> = { demo: [], bare: [] };
for (let round = 0; round < rounds; round++) {
  for (const name of ["demo", "bare"] as const) {
    const lambda = await startLambda(tasks[name], env);
    await lambda.frozen();
    const answers: number[] = [];
    for (let call = 0; call < 2; call++) {
      const startedMs = performance.now();
      await lambda.invoke(version2({ path: "/api/search", query: "q=dog" }));
      answers.push(performance.now() - startedMs);
    }
    measured[name].push([lambda.initMs, answers[0] ?? 0, answers[1] ?? 0]);
    await lambda.stop();
  }
}
for (const [name, times] of Object.entries(measured)) {
  const median = (at: 0 | 1 | 2): string =>
    (times.map((one) => one[at]).sort((one, other) => one - other)[rounds >> 1] ?? 0).toFixed(0);
  console.log(
    `${name}: init ${median(0)} ms, first answer ${median(1)} ms, second ${median(2)} ms (median of ${rounds})`,
  );
}
await local.close();
for (const task of Object.values(tasks)) rmSync(task, { recursive: true, force: true });
