import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import { afterEach, describe, expect, it } from "vitest";
import { readCommandLine } from "../src/options.ts";

const app = resolve(import.meta.dirname, "..");
const program = await bundledProgram(join(app, "src/main.ts"));

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill("SIGKILL");
  started.clear();
});

/** Runs the app as a person would; the environment names no server unless `env` does. */
function start(args: readonly string[], env: Record<string, string> = {}) {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [program, ...args], { cwd: app, env: { PATH, HOME, ...env } });
  started.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return {
    child,
    output: () => output,
    exit: once(child, "exit").then(([code]) => code as number),
    async until(pattern: RegExp) {
      while (!pattern.test(output)) await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
      return pattern.exec(output) as RegExpExecArray;
    },
  };
}

describe("the command line", () => {
  it.each([
    [[], { kind: "serve", address: { port: 3_000, host: "127.0.0.1", names: [], trustedProxies: 0 }, processes: 1 }],
    [
      ["--port", "0", "--trusted-proxies", "2", "--processes", "3"],
      { kind: "serve", address: { port: 0, host: "127.0.0.1", names: [], trustedProxies: 2 }, processes: 3 },
    ],
    [
      ["--host", "0.0.0.0", "--name", "a.example", "--name", "b"],
      {
        kind: "serve",
        address: { port: 3_000, host: "0.0.0.0", names: ["a.example", "b"], trustedProxies: 0 },
        processes: 1,
      },
    ],
    [["--once"], { kind: "once", address: { port: 0 }, processes: 1 }],
    [["--", "--once"], { kind: "once", address: { port: 0 }, processes: 1 }],
    [["--help"], { kind: "help" }],
  ])("%j is understood", (args, expected) => {
    expect(readCommandLine(args)).toEqual(expected);
  });

  it.each([
    [["--prot", "1"], /Unknown option "--prot"/],
    [["--port", "70000"], /from 0 to 65535, got "70000"/],
    [["--port"], /got nothing/],
    [["--host", "here"], /Expected --host to be an address such as 0.0.0.0, got "here"/],
    [["--name", "a.example:80"], /without a port, got "a.example:80"/],
    [["--processes", "0"], /from 1 to 9999, got "0"/],
    [["--trusted-proxies", "-1"], /from 0 to 99, got "-1"/],
    [["--trusted-proxies", "all"], /from 0 to 99, got "all"/],
    [["--trusted-proxies"], /from 0 to 99, got nothing/],
    [["once"], /Expected only options, got "once"/],
    [["--once=yes"], /Expected no value behind --once/],
  ])("%j is refused and quoted", (args, message) => {
    expect(readCommandLine(args)).toMatchObject({ kind: "wrong", message: expect.stringMatching(message) });
  });
});

describe("the demo as a process", () => {
  it("with --once searches twice over REST, prints misses then hits, and exits 0", async () => {
    const run = start(["--once"]);
    expect(await run.exit).toBe(0);
    const output = run.output();
    expect(output).toMatch(/117,791 concepts/);
    expect(output).toMatch(/dog that herds sheep +miss +[\d.]+ ms +hit +[\d.]+ ms +shepherd dog/);
    expect(output).toMatch(/Backend upstash: upstash-local's embedded engine, over REST/);
  });

  it("serves until it gets a signal, on another port when its own is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const run = start(["--port", String(port)]);
    const [url] = await run.until(/^http:\/\/127\.0\.0\.1:\d+(?=\/$)/m);
    expect(url).not.toContain(`:${port}`);
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true, backend: "upstash" });
    run.child.kill("SIGTERM");
    expect(await run.exit).toBe(0);
    taken.close();
  });

  it("serves from the memory of the process, and says so, when the named server is away", async () => {
    const run = start(["--once"], { UPSTASH_REDIS_URL: "redis://127.0.0.1:1" });
    expect(await run.exit).toBe(0);
    expect(run.output()).toMatch(/Warning: Redis at 127\.0\.0\.1:1 gives no answer yet/);
    expect(run.output()).toMatch(/Backend local: the memory of this process, until Redis answers/);
  });

  it("fails with --once, without a stack, when the server is away and there is no fallback", async () => {
    const run = start(["--once"], { UPSTASH_REDIS_URL: "redis://127.0.0.1:1", CONTINUUM_CACHE_FALLBACK: "false" });
    expect(await run.exit).toBe(1);
    expect(run.output()).toMatch(/was answered 503/);
    expect(run.output()).not.toMatch(/^ +at /m);
  });

  it("says what is wrong with the environment, and exits 1", async () => {
    const run = start(["--once"], {
      UPSTASH_REDIS_REST_URL: "http://db.upstash.io",
      UPSTASH_REDIS_REST_TOKEN: "canary",
    });
    expect(await run.exit).toBe(1);
    expect(run.output()).toMatch(/UPSTASH_REDIS_REST_URL/);
    expect(run.output()).not.toContain("canary");
  });
});
