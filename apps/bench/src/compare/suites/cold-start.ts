import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { cpuMs, milliseconds } from "../columns.ts";
import type { Contender, Measure, Site, Slice, Suite } from "../suite.ts";

const overRest = "import and first GET over REST";
const overTcp = "import and first GET over the Redis protocol";
const alone = "import alone";

const run = promisify(execFile);
/** Packages are found from here, as built: `src` and `dist` are equally deep. */
const home = join(import.meta.dirname, "../../..");

/** Runs some code in a process of its own, and takes its time from the first line to the last one. */
const fresh =
  (code: string): Measure =>
  async () => {
    const program = `
      const usage = process.cpuUsage();
      const startedAt = performance.now();
      ${code}
      const wallMs = performance.now() - startedAt;
      const { user, system } = process.cpuUsage(usage);
      console.log(JSON.stringify({ operations: 1, wallMs, cpuUs: user + system }));
      process.exit();`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: home });
    return JSON.parse(stdout) as Slice;
  };

/** @param codes - The code of each scenario that it takes part in. */
const contender = (name: string, kind: string, codes: (site: Site) => Record<string, string>): Contender => ({
  name,
  kind,
  async open(site) {
    const entries = Object.entries(codes(site)).map(([scenario, code]) => [scenario, fresh(code)]);
    return { measures: Object.fromEntries(entries) };
  },
});

const text = (value: unknown): string => JSON.stringify(value);

const ioredis = (name: string, specifier: string): Contender =>
  contender(name, "the best ioredis", ({ redisUrl }) => ({
    [overTcp]: `const { Redis } = await import("${specifier}"); await new Redis(${text(redisUrl)}).get("key");`,
  }));

/** What a process costs before its first answer. */
export const coldStart: Suite = {
  name: "cold-start",
  title: "Cold start",
  about:
    "A fresh process for each number, from its first line to the first answer, with the packages as " +
    "built. Node's own start is not counted.",
  servers: "rest",
  value: milliseconds,
  columns: [cpuMs],
  scenarios: [overRest, overTcp, alone],
  contenders: [
    contender("UpstashCache", "ours", ({ redisUrl, rest: { url, token } }) => ({
      [overRest]: `
        const { UpstashCache } = await import("continuum-cache");
        await new UpstashCache(${text({ restUrl: url, restToken: token })}).get("key");`,
      [overTcp]: `
        const { UpstashCache } = await import("continuum-cache");
        await new UpstashCache(${text({ url: redisUrl })}).get("key");`,
      [alone]: `await import("continuum-cache");`,
    })),
    contender("Cache on restTransport", "ours", ({ rest }) => ({
      [overRest]: `
        const { Cache } = await import("@continuum-cache/core");
        const { restTransport } = await import("@continuum-cache/transport-rest");
        await new Cache({ transport: restTransport(${text(rest)}) }).get("key");`,
    })),
    contender("Cache on tcpTransport", "ours", ({ redisUrl }) => ({
      [overTcp]: `
        const { Cache } = await import("@continuum-cache/core");
        const { tcpTransport } = await import("@continuum-cache/transport-tcp");
        await new Cache({ transport: tcpTransport(${text({ url: redisUrl })}) }).get("key");`,
    })),
    contender("@upstash/redis", "@upstash/redis", ({ rest }) => ({
      [overRest]: `
        const { Redis } = await import("@upstash/redis");
        await new Redis(${text(rest)}).get("key");`,
      [alone]: `await import("@upstash/redis");`,
    })),
    ioredis("ioredis 5", "ioredis-5"),
    ioredis("ioredis 6", "ioredis"),
  ],
};
