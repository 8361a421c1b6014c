import type { Command } from "@continuum-cache/core";
import { createKeyOrder } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("the order of keys", () => {
  const enter = (order: ReturnType<typeof createKeyOrder>, ...commands: Command[]) => order.enter(commands);

  it("lets reads of a key pass each other, and makes a write wait for them", async () => {
    const order = createKeyOrder();
    const [one, two] = [enter(order, ["GET", "a"]), enter(order, ["GET", "a"])];
    const write = enter(order, ["SET", "a", "1"]);
    const other = enter(order, ["SET", "b", "1"]);
    expect([one, two, other].map(({ mustWait }) => mustWait)).toEqual([false, false, false]);
    const events: string[] = [];
    const turn = write.turn().then(() => events.push("write"));
    one.leave();
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual([]);
    two.leave();
    await turn;
    expect(events).toEqual(["write"]);
    const read = enter(order, ["GET", "a"]);
    expect(read.mustWait).toBe(true);
    write.leave();
    write.leave();
    expect(await read.turn()).toBe(true);
  });

  it("takes a command on the whole database for one on every key", async () => {
    const order = createKeyOrder();
    const set = enter(order, ["SET", "a", "1"]);
    const flush = enter(order, ["FLUSHDB"]);
    const get = enter(order, ["GET", "b"]);
    expect(enter(order, ["PING"]).mustWait).toBe(false);
    expect(get.mustWait).toBe(true);
    set.leave();
    expect(await flush.turn()).toBe(true);
    flush.leave();
    expect(await get.turn()).toBe(true);
  });

  it("never reorders trips where one writes a key of the other, and never deadlocks", async () => {
    const key = fc.constantFrom("a", "b", "c");
    const command = fc.oneof(
      key.map((name): Command => ["GET", name]),
      key.map((name): Command => ["SET", name, "1"]),
      fc.tuple(key, key).map(([one, two]): Command => ["DEL", one, two]),
      fc.constant<Command>(["FLUSHDB"]),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(command, { minLength: 1, maxLength: 3 }), { maxLength: 20 }),
        fc.infiniteStream(fc.nat(5)),
        async (trips, delays) => {
          const order = createKeyOrder();
          const log: string[] = [];
          await Promise.all(
            trips.map(async (commands, index) => {
              const place = order.enter(commands);
              if (place.mustWait) await place.turn();
              log.push(`+${index}`);
              for (let hops = delays.next().value ?? 0; hops > 0; hops--) await Promise.resolve();
              log.push(`-${index}`);
              place.leave();
            }),
          );
          const touches = (commands: Command[]) =>
            commands.flatMap((c) =>
              c[0] === "FLUSHDB" ? ["a", "b", "c"] : c.slice(1, c[0] === "DEL" ? 3 : 2),
            ) as string[];
          const writes = (commands: Command[]) => touches(commands.filter((c) => c[0] !== "GET"));
          for (const [i, one] of trips.entries()) {
            for (const [j, two] of trips.entries()) {
              const conflict =
                writes(one).some((k) => touches(two).includes(k)) || touches(one).some((k) => writes(two).includes(k));
              if (i < j && conflict) expect(log.indexOf(`-${i}`)).toBeLessThan(log.indexOf(`+${j}`));
            }
          }
        },
      ),
      runs(300),
    );
  });
});
