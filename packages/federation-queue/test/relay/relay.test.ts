import { describe, expect, it } from "vitest";
import { closing, following, named, waitFor } from "../log/logs.ts";
import { regionsOf, ways } from "./regions.ts";

const opened = closing();

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe.each(ways)("over the %s", (way) => {
  it("copies every event to the other region, in order, under its own number", async () => {
    const { east, west, carry, key } = await regionsOf(way, opened);
    const { emitted } = carry(east, west);
    const a = east.log<number>("a");
    const reading = opened(following(west.log<number>("b")));
    await a.appendMany(numbers(1, 250));
    await a.append(251);
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 251)));
    expect(reading.entries.map(({ event }) => event)).toEqual(numbers(1, 251));
    const both = await Promise.all([east, west].map(({ redis }) => redis.command("XRANGE", `${key}:a`, "-", "+")));
    expect(both[1]).toEqual(both[0]);
    expect(emitted.error).toEqual([]);
  });

  it("leaves one copy of each event on each side when two relays run in both directions", async () => {
    const { east, west, carry } = await regionsOf(way, opened);
    const relays = [carry(east, west), carry(east, west), carry(west, east), carry(west, east)];
    const [a, b] = [east.log<number>("a"), west.log<number>("b")];
    const readers = [opened(following(a)), opened(following(b)), opened(following(east.log<number>("c")))];
    for (let round = 0; round < 5; round++) {
      await Promise.all([a.appendMany(numbers(1, 40)), b.appendMany(numbers(1, 40))]);
    }
    await waitFor(() => {
      expect(readers[0]?.seen).toEqual(named("b", 1, 200));
      expect(readers[1]?.seen).toEqual(named("a", 1, 200));
      expect(readers[2]?.seen.filter((one) => one.startsWith("a"))).toEqual(named("a", 1, 200));
      expect(readers[2]?.seen.filter((one) => one.startsWith("b"))).toEqual(named("b", 1, 200));
    });
    const stats = await Promise.all(relays.map((each) => each.relay.stats()));
    for (const { origins } of stats) for (const one of Object.values(origins)) expect(one.behind).toBe(0);
    for (const region of [east, west]) {
      expect(await Promise.all(["a", "b"].map(region.length))).toEqual([200, 200]);
    }
    const copied = stats.map((one) => one.copied);
    expect((copied[0] ?? 0) + (copied[1] ?? 0)).toBe(200);
    expect((copied[2] ?? 0) + (copied[3] ?? 0)).toBe(200);
    for (const { emitted } of relays) expect([emitted.error, emitted.gap]).toEqual([[], []]);
  });

  it("copies around a ring of three regions without a loop", async () => {
    const { regions, carry } = await regionsOf(way, opened, ["east", "west", "south"]);
    for (const [at, region] of regions.entries()) {
      for (const other of regions) if (other !== region) carry(region, other);
      opened(following(region.log(`reader-${at}`)));
    }
    const logs = regions.map((region, at) => region.log<number>(`o${at}`));
    await Promise.all(logs.map((log) => log.appendMany(numbers(1, 100))));
    await waitFor(async () => {
      for (const region of regions) {
        expect(await Promise.all(["o0", "o1", "o2"].map(region.length))).toEqual([100, 100, 100]);
      }
    });
  });

  it("waits during a partition, and then catches up in batches", async () => {
    const { east, west, carry } = await regionsOf(way, opened);
    const { relay, emitted } = carry(east, west, { batch: 50 });
    const a = east.log<number>("a");
    const reading = opened(following(west.log<number>("b")));
    await a.appendMany(numbers(1, 10));
    await waitFor(() => expect(reading.seen.length).toBe(10));
    west.proxy.set({ kind: "refuse" });
    west.proxy.cut();
    await a.appendMany(numbers(11, 500));
    await waitFor(() => expect(relay.state).toBe("waiting"));
    await expect(relay.stats({ timeout: "300ms" })).rejects.toMatchObject({ name: "TransportError" });
    west.proxy.set({ kind: "blackhole" });
    west.proxy.cut();
    await waitFor(() => expect(emitted.error.length).toBeGreaterThan(0));
    west.proxy.set({ kind: "pass" });
    west.proxy.cut();
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 500)));
    await waitFor(() => expect(relay.state).toBe("running"));
    expect(await relay.stats()).toMatchObject({ copied: expect.any(Number), origins: { a: { behind: 0 } } });
    expect(await west.length("a")).toBe(500);
    // Reported once for the whole outage, not with each try.
    expect(emitted.error.length).toBeLessThanOrEqual(2);
  });

  it("continues where another relay has left off", async () => {
    const { east, west, carry } = await regionsOf(way, opened);
    const a = east.log<number>("a");
    for (let round = 0; round < 4; round++) {
      const { relay } = carry(east, west, { batch: 7 });
      await a.appendMany(numbers(1, 50));
      if (round % 2 === 0) await waitFor(async () => expect(await west.length("a")).toBeGreaterThan(round * 50));
      await relay.close();
      expect(relay.state).toBe("closed");
    }
    carry(east, west);
    await waitFor(async () => expect(await west.length("a")).toBe(200));
    const reading = opened(following(west.log("b")));
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 200)));
  });

  it("copies an event once although the reply to its copy was lost", async () => {
    const { east, west, carry } = await regionsOf(way, opened);
    // It asks both sides for their state first, and again after an error: without a reply it does not copy.
    const { relay, emitted } = carry(east, west, { pollInterval: "1h" });
    const a = east.log<number>("a");
    let total = 1;
    await a.append(total);
    await waitFor(() => expect(emitted.copied.length).toBeGreaterThan(0));
    // Replies may be lost while it asks rather than copies: then the test restores the connection and tries again.
    for (let isCopied = false; !isCopied; ) {
      await waitFor(() => expect(relay.state).toBe("running"));
      const before = await west.length("a");
      west.proxy.set({ kind: "half-open", lost: "replies" });
      await a.appendMany(numbers(total + 1, total + 20));
      total += 20;
      await waitFor(async () => expect(relay.state === "waiting" || (await west.length("a")) > before).toBe(true));
      isCopied = (await west.length("a")) > before;
      west.proxy.set({ kind: "pass" });
      west.proxy.cut();
    }
    await a.append(total + 1);
    total++;
    await waitFor(async () => expect(await west.length("a")).toBe(total));
    const reading = opened(following(west.log("b")));
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, total)));
  });
});
