import type { Command, Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

let primary: Switchable;
let transport: Transport;

beforeEach(() => {
  vi.useFakeTimers();
  primary = switchable();
  transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "10s", warmStart: { maxAge: "1m" } });
});
afterEach(async () => {
  await transport.close();
  vi.useRealTimers();
});

const run = async (...command: Command) => (await transport.send([command]))[0];
const there = async (key: string) => (await primary.store.send([["GET", key]]))[0];
const away = async () => {
  primary.fail("unreachable");
  await transport.send([["PING"]]);
};
const back = async () => {
  primary.restore();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(transport.status?.pending).toBe(0);
};

it("replays what a conditional SET stored in an outage", async () => {
  await run("SET", "k", "old");
  await away();
  expect(await run("SET", "k", "new", "IFEQ", "old")).toBe("OK");
  await back();
  expect(await there("k")).toBe("new");
});

it("replays nothing where the condition was not met", async () => {
  await run("SET", "k", "old");
  await away();
  expect(await run("SET", "k", "new", "IFEQ", "other")).toBeNull();
  expect(await run("SET", "k", "new", "IFEQ", "other", "GET")).toBe("old");
  await back();
  expect(await there("k")).toBe("old");
});

it("never replays over a value that another process has written meanwhile", async () => {
  await run("SET", "k", "old");
  await away();
  expect(await run("SET", "k", "new", "IFEQ", "old", "GET")).toBe("old");
  await primary.store.send([["SET", "k", "newest"]]);
  await back();
  expect(await there("k")).toBe("newest");
});

it("refuses a conditional DELEX in an outage, since its replay would delete whatever is there by then", async () => {
  await run("SET", "k", "old");
  await away();
  await expect(run("DELEX", "k", "IFEQ", "old")).rejects.toMatchObject({ kind: "unreachable", delivery: "none" });
  await primary.store.send([["SET", "k", "newest"]]);
  await back();
  expect(await there("k")).toBe("newest");
});

it("replays DELEX without a condition as DEL", async () => {
  await run("SET", "k", "old");
  await away();
  expect(await run("DELEX", "k")).toBe(1);
  await back();
  expect(await there("k")).toBeNull();
});
