import { Cache, CommandError, guarded } from "@continuum-cache/core";
import { deliverInHalves, primaryOf } from "@continuum-cache/core/kit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { onTheEdge } from "../edge.ts";
import { empty, recordingTransport } from "../recording-transport.ts";

afterEach(() => void vi.unstubAllGlobals());

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Which answers are handed out at once, and which later. */
async function parts(others: number, answers: number, hasCheapTrips = true): Promise<{ now: string[]; all: string[] }> {
  const all: string[] = [];
  deliverInHalves({ hasCheapTrips }, others, answers, (from, to) => void all.push(`${from}-${to}`));
  const now = [...all];
  await turn();
  return { now, all };
}

describe("the answers of one trip", () => {
  it("are handed out in halves while no other trip is under way, in one turn of the event loop", async () => {
    expect(await parts(0, 64)).toEqual({ now: ["0-32"], all: ["0-32", "32-64"] });
    expect(await parts(0, 33)).toEqual({ now: ["0-16"], all: ["0-16", "16-33"] });
  });

  it("are delivered by half of all in flight, where that leaves enough for a second half", async () => {
    expect((await parts(16, 48)).all).toEqual(["0-32", "32-48"]);
    expect((await parts(24, 40)).all).toEqual(["0-32", "32-40"]);
    expect((await parts(25, 39)).all).toEqual(["0-39"]);
    expect((await parts(48, 16)).all).toEqual(["0-16"]);
  });

  it("are delivered at once when few, when others bring as many, and where each trip is a request", async () => {
    expect((await parts(0, 31)).all).toEqual(["0-31"]);
    expect((await parts(0, 0)).all).toEqual(["0-0"]);
    expect((await parts(64, 64)).all).toEqual(["0-64"]);
    expect((await parts(0, 64, false)).all).toEqual(["0-64"]);
  });

  it("are handed out at once where the request that waits for the rest can vanish", async () => {
    onTheEdge();
    expect((await parts(0, 64)).all).toEqual(["0-64"]);
  });
});

/** Keeps 64 calls in flight until each has been asked so often. */
async function inLanes(call: (key: string) => Promise<unknown>, times: number): Promise<unknown[]> {
  const lane = async (_: unknown, nth: number): Promise<unknown[]> => {
    const got: unknown[] = [];
    for (let time = 0; time < times; time++) got.push(await call(`${nth}:${time}`));
    return got;
  };
  return (await Promise.all(Array.from({ length: 64 }, lane))).flat();
}

const echo = (command: Parameters<typeof empty>[0]) =>
  command[0] === "MGET" ? command.slice(1).map((key) => `"value of ${key}"`) : "OK";

describe("calls that are asked again as soon as they are answered", () => {
  it("travel in two trips, one of which is under way while the other's answers are handed out", async () => {
    const transport = { ...recordingTransport(echo), hasCheapTrips: true };
    const cache = new Cache({ transport });
    const got = await inLanes((key) => cache.get(key), 3);
    expect(got).toEqual(
      Array.from({ length: 64 }, (_, nth) => [0, 1, 2].map((time) => `value of ${nth}:${time}`)).flat(),
    );
    const sizes = transport.trips.map((trip) => (trip[0]?.length ?? 0) - 1);
    expect(sizes.slice(0, 3)).toEqual([64, 32, 32]);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(3 * 64);
  });

  it("travel so when they write", async () => {
    const transport = { ...recordingTransport(empty), hasCheapTrips: true };
    const cache = new Cache({ transport });
    expect(await inLanes((key) => cache.set(key, 1), 2)).toEqual(Array.from({ length: 128 }, () => true));
    expect(transport.trips.map((trip) => trip.length).slice(0, 3)).toEqual([64, 32, 32]);
  });

  it("travel in one trip where each trip is a request", async () => {
    const transport = recordingTransport(echo);
    const cache = new Cache({ transport });
    await inLanes((key) => cache.get(key), 3);
    expect(transport.trips.map((trip) => (trip[0]?.length ?? 0) - 1)).toEqual([64, 64, 64]);
  });

  it("are all awaited by flush, those of the second half too", async () => {
    const transport = { ...recordingTransport(echo), hasCheapTrips: true };
    const cache = new Cache({ transport });
    let answered = 0;
    const calls = Array.from({ length: 64 }, (_, nth) => cache.get(`k${nth}`).then(() => answered++));
    await cache.flush();
    expect(answered).toBe(64);
    await Promise.all(calls);
  });

  it("that a signal ends between the halves reject, and the others have their answers", async () => {
    const transport = { ...recordingTransport(echo), hasCheapTrips: true };
    const cache = new Cache({ transport });
    const controller = new AbortController();
    const calls = Array.from({ length: 64 }, (_, nth) =>
      cache.get(`k${nth}`, nth % 2 === 0 ? {} : { signal: controller.signal }),
    );
    void calls[0]?.then(() => controller.abort());
    const outcomes = (await Promise.allSettled(calls)).map(({ status }) => status);
    expect(outcomes.slice(0, 32)).toEqual(Array.from({ length: 32 }, () => "fulfilled"));
    expect(outcomes.slice(32).map((status, nth) => nth % 2 === 0 || status === "rejected")).not.toContain(false);
    expect(outcomes.filter((status) => status === "fulfilled")).toHaveLength(48);
  });

  it("are each answered once when a cluster has refused to read their keys together", async () => {
    const transport = {
      ...recordingTransport((command) =>
        command[0] === "MGET" && command.length > 2
          ? new CommandError("CROSSSLOT Keys in request don't hash to the same slot")
          : echo(command),
      ),
      hasCheapTrips: true,
    };
    const cache = new Cache({ transport });
    const calls = Array.from({ length: 64 }, (_, nth) => [cache.get(`k${nth}`), cache.set(`s${nth}`, nth)]).flat();
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 64 }, (_, nth) => [`value of k${nth}`, true]).flat());
    expect(transport.trips.map((trip) => trip.length)).toEqual([65, 64]);
    await cache.flush();
  });
});

describe("hasCheapTrips of a transport", () => {
  it("is passed on by its decorators", () => {
    const transport = { ...recordingTransport(empty), hasCheapTrips: true };
    const status = { currentBackend: "upstash" as const, pending: 0, onChange: () => () => {}, onKept: () => () => {} };
    expect(guarded(transport).hasCheapTrips).toBe(true);
    expect(primaryOf({ ...transport, status }).hasCheapTrips).toBe(true);
    expect(guarded(recordingTransport(empty)).hasCheapTrips).toBeUndefined();
  });
});
