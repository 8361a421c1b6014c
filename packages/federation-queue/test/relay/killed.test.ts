import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import { expect, it } from "vitest";
import { closing, following, named, waitFor } from "../log/logs.ts";
import { regionsOf } from "./regions.ts";

const opened = closing();
const program = await bundledProgram(join(import.meta.dirname, "relay-child.ts"));

it("relays that are killed again and again leave no hole and no second copy", async () => {
  const { east, west, key } = await regionsOf("Redis protocol", opened);
  const urls = [east.redis.url, west.redis.url];
  const start = (from: number): ChildProcess =>
    spawn(process.execPath, [program, urls[from] ?? "", urls[1 - from] ?? "", key], {
      stdio: ["ignore", "inherit", "inherit"],
    });
  const reading = opened(following(west.log<number>("b")));
  const a = east.log<number>("a");
  let total = 0;
  const append = async (): Promise<void> => {
    await a.appendMany(Array.from({ length: 100 }, (_, at) => total + at));
    total += 100;
  };
  let child: ChildProcess | undefined;
  const end = async (): Promise<void> => {
    const ended = child && once(child, "exit");
    child?.kill("SIGKILL");
    await ended;
    child = undefined;
  };
  opened({ close: end });
  for (let round = 0; round < 5; round++) {
    child = start(0);
    await append();
    const before = await west.length("a");
    await waitFor(async () => expect(await west.length("a")).toBeGreaterThan(before));
    await append();
    await end();
  }
  child = start(0);
  await waitFor(() => expect(reading.seen.length).toBe(total));
  expect(reading.seen).toEqual(named("a", 1, total));
  expect(await west.length("a")).toBe(total);
});
