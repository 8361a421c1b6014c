import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { afterEach, expect, it, onTestFinished } from "vitest";
import { readCommandLine } from "../src/cli-options.ts";
import { until } from "./event-stream.ts";
import { post, send } from "./raw-http.ts";

const root = resolve(import.meta.dirname, "../../..");
const cli = await bundledProgram(join(root, "packages/upstash-local/src/cli.ts"));

interface Run {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly code: Promise<number | null>;
}

let running: Run | undefined;
afterEach(async () => {
  running?.child.kill("SIGKILL");
  await running?.code;
});

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [cli, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const out = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      out[name] += chunk;
    });
  }
  const code = once(child, "close").then(([status]) => status as number | null);
  running = { child, stdout: () => out.stdout, stderr: () => out.stderr, code };
  return running;
}

const untilPrinted = (text: () => string, pattern: RegExp) =>
  until(
    () => pattern.test(text()),
    () => `Expected ${pattern}, got ${text()}`,
  );
const urlOf = (started: Run) => /http:\/\/[\d.:]+/.exec(started.stdout())?.[0] ?? "";

it("prints its address and the lines to export, serves, and ends at SIGTERM", async () => {
  const started = run("--port", "0", "--token", "it's", "--read-only-token=ro");
  await untilPrinted(started.stdout, /read-only/);
  const url = urlOf(started);
  expect(started.stdout()).toContain(`export UPSTASH_REDIS_REST_URL='${url}'\n`);
  expect(started.stdout()).toContain(`export UPSTASH_REDIS_REST_TOKEN='it'\\''s'\n`);
  expect((await post(url, "/", ["SET", "k", "v"], { token: "it's" })).json).toEqual({ result: "OK" });
  expect((await post(url, "/", ["GET", "k"], { token: "ro" })).json).toEqual({ result: "v" });
  started.child.kill("SIGTERM");
  expect(await started.code).toBe(0);
});

it("stands in front of the Redis that --redis names, without printing its password", async () => {
  const redis = await startRedisServer({ password: "s3cret-canary" });
  onTestFinished(() => redis.close());
  const started = run("--port", "0", "--token", "local", "--redis", redis.url);
  await untilPrinted(started.stdout, /REST_TOKEN/);
  expect(started.stdout()).toContain(`in front of redis://127.0.0.1:${redis.port}`);
  expect((await post(urlOf(started), "/", ["SET", "k", "v"])).json).toEqual({ result: "OK" });
  expect(await redis.command("GET", "k")).toBe("v");
  expect(started.stdout() + started.stderr()).not.toContain("canary");
});

it("starts without its Redis, and says so", async () => {
  const redis = await startRedisServer();
  onTestFinished(() => redis.close());
  await redis.close();
  const started = run("--port", "0", "--token", "local", "--redis", redis.url);
  await untilPrinted(started.stderr, /Warning: redis:\/\/127.0.0.1:\d+ gives no answer yet/);
  expect((await post(urlOf(started), "/", ["PING"])).status).toBe(500);
});

it("makes a token of its own that can't be guessed, and prints it ready to be copied", async () => {
  const tokens: string[] = [];
  for (let round = 0; round < 2; round++) {
    const started = run("--port", "0");
    await untilPrinted(started.stdout, /REST_TOKEN='.+'\n/);
    const [, token = ""] = /REST_TOKEN='(.+)'\n/.exec(started.stdout()) ?? [];
    expect(token).toMatch(/^[\w-]{32}$/);
    expect((await post(urlOf(started), "/", ["PING"], { token })).json).toEqual({ result: "PONG" });
    expect((await post(urlOf(started), "/", ["PING"], { token: "local" })).status).toBe(401);
    tokens.push(token);
    started.child.kill("SIGKILL");
    await started.code;
  }
  expect(tokens[0]).not.toBe(tokens[1]);
});

it("lets the pages and names in that the command line names", async () => {
  const started = run(
    "--port",
    "0",
    "--token",
    "local",
    "--cors",
    "http://localhost:3000",
    "--allow-host",
    "redis.internal",
  );
  await untilPrinted(started.stdout, /REST_TOKEN/);
  const ask = async (headers: Record<string, string>) =>
    (await send(urlOf(started), "/ping", { headers })).headers["access-control-allow-origin"];
  expect(await ask({ origin: "http://localhost:3000", host: "redis.internal" })).toBe("http://localhost:3000");
  expect(await ask({ origin: "http://localhost:4000" })).toBeUndefined();
});

it("warns of a short token on an open address", async () => {
  const started = run("--port", "0", "--host", "0.0.0.0", "--token", "local");
  await untilPrinted(started.stderr, /Warning: other machines can reach 0\.0\.0\.0/);
});

it("--help shows every option", async () => {
  const help = run("--help");
  expect(await help.code).toBe(0);
  for (const flag of [
    "--port",
    "--host",
    "--token",
    "--read-only-token",
    "--redis",
    "--allow-insecure",
    "--cors",
    "--allow-host",
    "--help",
  ]) {
    expect(help.stdout()).toContain(flag);
  }
});

it.each<[string[], RegExp]>([
  [["--port", "abc"], /^Expected --port to be a whole number from 0 to 65535, got "abc"/],
  [["--port", "70000"], /got "70000"/],
  [["--port=-1"], /got "-1"/],
  [["--port"], /^Expected a value behind --port/],
  [["--port", "--token", "x"], /^Expected a value behind --port/],
  [["--prot", "8079"], /^upstash-local has no option "--prot". Did you mean `--port`\?/],
  [["-x"], /^upstash-local has no option "-x". Its options are --port, --host/],
  [["8079"], /^Expected only options, got "8079"/],
  [["--help=yes"], /^Expected no value behind --help/],
])("does not understand %j", (args, message) => {
  expect(readCommandLine(args)).toEqual({ kind: "wrong", message: expect.stringMatching(message) });
});

it.each<[string[], RegExp]>([
  [["--port", "abc"], /^Expected --port to be .* got "abc"\n\nUsage: upstash-local/],
  [["--redis", "http://127.0.0.1:6379"], /^--redis: .*got "http:"/],
  [["--redis", "redis://user:canary@db.example"], /^--redis: .*allow/],
  [["--token", "canary\n"], /^--token: /],
])("refuses %j and ends with 1", async (args, message) => {
  const wrong = run(...args);
  expect(await wrong.code).toBe(1);
  expect(wrong.stderr()).toMatch(message);
  expect(wrong.stderr()).not.toContain("canary");
  expect(wrong.stdout()).toBe("");
});

it("says which port is taken", async () => {
  const other = await startUpstashLocal({ port: 0, token: "local" });
  const second = run("--port", String(other.port));
  expect(await second.code).toBe(1);
  expect(second.stderr()).toMatch(new RegExp(`^--port: Port ${other.port} of 127.0.0.1 is taken`));
  await other.close();
});
