import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RedisServer } from "@continuum-cache/conformance/servers";

/** Where a server keeps its AOF. To be asked before it is killed. */
export async function aofFolderOf(redis: RedisServer): Promise<string> {
  const [[, dir = ""], [, sub = ""]] = (await Promise.all([
    redis.command("CONFIG", "GET", "dir"),
    redis.command("CONFIG", "GET", "appenddirname"),
  ])) as [string[], string[]];
  return join(dir, sub);
}

/** Cuts off the end of what a killed server has written, as a machine does that loses its power. */
export async function tearAof(folder: string): Promise<void> {
  const [name] = (await readdir(folder)).filter((file) => file.endsWith(".incr.aof"));
  if (name === undefined) return;
  const path = join(folder, name);
  const { size } = await stat(path);
  const file = await open(path, "r+");
  await file.truncate(Math.max(0, size - Math.min(20_000, Math.floor(size / 4))));
  await file.close();
}
