import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { startRedisServer } from "../../packages/conformance/src/servers.ts";
import type { ExampleServers } from "../examples/example-project.ts";
import type { CommandSettings } from "./run-command.ts";

/** A Redis, and in front of it the `upstash-local` that is installed in the project in `folder`. */
export async function startServers(
  folder: string,
  settings: CommandSettings,
): Promise<ExampleServers & { close(): Promise<void> }> {
  const redis = await startRedisServer();
  const spare = await startRedisServer();
  const restToken = "local";
  const child = spawn(
    join(folder, "node_modules/.bin/upstash-local"),
    ["--port", "0", "--redis", redis.url, "--token", restToken],
    { cwd: folder, env: settings.env, stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  const stop = () => child.kill("SIGKILL");
  process.once("exit", stop);
  const close = async () => {
    process.off("exit", stop);
    stop();
    await exited;
    await redis.close();
    await spare.close();
  };
  const restUrl = await new Promise<string | undefined>((resolve) => {
    const limit = setTimeout(() => resolve(undefined), 20_000);
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const url = /UPSTASH_REDIS_REST_URL=['"]?(http:\/\/127\.0\.0\.1:\d+)/.exec(printed)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once("exit", () => resolve(undefined));
    child.once("exit", () => clearTimeout(limit));
  });
  if (restUrl !== undefined) return { restUrl, restToken, redisUrl: redis.url, spareRedisUrl: spare.url, close };
  await close();
  throw new Error("upstash-local, as installed, did not say within 20 s where it listens");
}
