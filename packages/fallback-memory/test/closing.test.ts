import { type Command, type Transport, TransportError } from "@continuum-cache/core";
import { type JournalStore, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

/** Takes a while for each append, as a busy disk does, and keeps it in memory. */
class SlowStore implements JournalStore {
  appends = 0;
  read = async () => [];
  async append(): Promise<void> {
    this.appends++;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  rewrite = async () => {};
  close = async () => {};
}

let primary: Switchable;
let store: SlowStore;
let transport: Transport;
/** The primary answers none of these. */
let hanging: RegExp;
/** Fail what it has not answered. */
let failures: ((error: Error) => void)[];

beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  primary = switchable();
  store = new SlowStore();
  hanging = /^INCR$/;
  failures = [];
  const send: Transport["send"] = (commands, options) =>
    hanging.test(commands[0]?.[0] ?? "")
      ? new Promise((_, reject) => failures.push(reject))
      : primary.send(commands, options);
  transport = withFallback({ ...primary, send }, memoryTransport(), { journal: { store } });
  await vi.advanceTimersByTimeAsync(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const outcomeOf = (command: Command): Promise<unknown> => transport.send([command]).catch((error: unknown) => error);
const failAll = (): void => {
  const lost = new TransportError("unreachable", "cut", { transport: "switchable", delivery: "unknown" });
  for (const fail of failures.splice(0)) fail(lost);
};
const begin = async (): Promise<void> => {
  primary.fail("unreachable");
  const away = outcomeOf(["SET", "a", "1"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await away).toEqual(["OK"]);
};

it("rejects a write that the primary fails after close() with its delivery", async () => {
  const call = outcomeOf(["INCR", "n"]);
  await vi.advanceTimersByTimeAsync(0);
  const closed = transport.close();
  await vi.advanceTimersByTimeAsync(10);
  failAll();
  expect(await call).toMatchObject({ kind: "unreachable", delivery: "unknown" });
  await closed;
});

it("rejects a write that the primary fails while close() waits for the disk, since it would be lost", async () => {
  const call = outcomeOf(["INCR", "n"]);
  await begin();
  void outcomeOf(["SET", "b", "1"]);
  await vi.advanceTimersByTimeAsync(0);
  const { appends } = store;
  const closed = transport.close();
  await vi.advanceTimersByTimeAsync(100);
  failAll();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await call).toMatchObject({ kind: "unreachable", delivery: "unknown" });
  await closed;
  expect([store.appends, transport.status?.pending]).toEqual([appends, 2]);
});

it("rejects a write that waits for the end of a recovery when close() is called, and does not journal it", async () => {
  await begin();
  primary.restore();
  hanging = /^(?!PING$)/;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(transport.status?.outage).toMatchObject({ state: "recovering" });
  const call = outcomeOf(["SET", "b", "1"]);
  await vi.advanceTimersByTimeAsync(1);
  const closed = transport.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await call).toMatchObject({ kind: "closed", delivery: "none" });
  expect(transport.status?.pending).toBe(1);
  failAll();
  await vi.advanceTimersByTimeAsync(10_000);
  await closed;
});
