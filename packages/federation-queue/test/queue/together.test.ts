import { type Command, type Transport, TransportError } from "@continuum-cache/core";
import { runScript } from "@continuum-cache/core/kit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import { pushManyScript } from "../../src/queue/push-scripts.ts";
import { all, closing, memory } from "./backends.ts";

const opened = closing();

describe.each(all)("pushes of one tick over $name", (backend) => {
  const start = async (options = {}) => {
    const server = opened(await backend.open());
    const own = server.connect();
    const trips: (readonly Command[])[] = [];
    const transport: Transport = {
      ...own,
      name: own.name,
      async send(commands, asked) {
        if (commands.some(([name]) => name === "XADD" || name.startsWith("EVAL"))) trips.push(commands);
        return own.send(commands, asked);
      },
    };
    const queue = opened(new FederationQueue<number>({ transport }, options));
    const pulled = async (): Promise<number[]> => {
      const events: number[] = [];
      for (let empty = 0; empty < 2; ) {
        const leases = await queue.pull({ max: 100 });
        empty = leases.length === 0 ? empty + 1 : 0;
        events.push(...leases.map(({ event }) => event));
      }
      return events;
    };
    return { queue, trips, pulled, own };
  };
  const count = (to: number): number[] => Array.from({ length: to }, (_, at) => at);

  it("are one script and one notification when there are many, in order, each with its own id", async () => {
    const { queue, trips, pulled } = await start();
    const pushed = await Promise.all(count(64).map((event) => queue.push(event)));
    expect(new Set(pushed.map(({ id }) => id)).size).toBe(64);
    expect(trips.map((commands) => commands.map(([name]) => name))).toEqual([["EVAL", "PUBLISH"]]);
    expect(await pulled()).toEqual(count(64));
  });

  it("are plain commands when there are few, and one script for a large pushMany", async () => {
    const { queue, trips, pulled } = await start();
    await Promise.all(count(3).map((event) => queue.push(event)));
    await queue.pushMany(count(100).map((event) => ({ event })));
    // Whether the second round trip carries a notification depends on the time since the first.
    const pushes = trips.map((commands) => commands.map(([name]) => name).filter((name) => name !== "PUBLISH"));
    expect(pushes).toEqual([["XADD", "XADD", "XADD"], ["EVAL"]]);
    expect(await pulled()).toEqual([...count(3), ...count(100)]);
  });

  it("keep their order, whatever is pushed between them", async () => {
    const { queue, pulled } = await start();
    const some = (from: number) => count(10).map((at) => queue.push(from + at));
    await Promise.all([
      ...some(0),
      queue.push(10, { timeout: "30s" }),
      ...some(11),
      queue.pushMany(count(10).map((at) => ({ event: 21 + at }))),
      queue.push(31, { id: "own" }),
      ...some(32),
    ]);
    expect(await pulled()).toEqual(count(42));
  });

  it("settle each by itself", async () => {
    const { queue, own, pulled } = await start({ prefix: "refusing", outbox: false });
    await own.send([["SET", "refusing:high", "no stream"]]);
    const outcomes = await Promise.allSettled([
      ...count(10).map((event) => queue.push(event)),
      ...count(10).map((event) => queue.push(event, { priority: "high" })),
      queue.push(10, { id: "once" }),
      queue.push(11, { id: "once" }),
    ]);
    expect(outcomes.slice(0, 10).every(({ status }) => status === "fulfilled")).toBe(true);
    for (const outcome of outcomes.slice(10, 20)) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { name: "CommandError", code: "WRONGTYPE" } });
    }
    expect(outcomes.slice(20)).toMatchObject([{ value: { id: "once" } }, { value: { id: "once", duplicate: true } }]);
    await own.send([["DEL", "refusing:high"]]);
    expect(await pulled()).toEqual([...count(10), 10]);
  });

  it("are awaited by a close in the same tick", async () => {
    const { queue } = await start();
    const pushing = Promise.all(count(20).map((event) => queue.push(event)));
    await queue.close();
    expect(await pushing).toHaveLength(20);
    await expect(queue.push(20)).rejects.toMatchObject({ kind: "closed" });
  });
});

it("notifications that a failed round trip carried are sent by themselves", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const own = opened(await memory.open()).connect();
  const notifications: unknown[] = [];
  let isLost = false;
  const transport: Transport = {
    ...own,
    async send(commands, asked) {
      if (isLost) throw new TransportError("aborted", "away", { transport: "test", delivery: "none" });
      for (const [name, , text] of commands) if (name === "PUBLISH") notifications.push(text);
      return own.send(commands, asked);
    },
  };
  const queue = opened(new FederationQueue<number>({ transport }));
  await queue.push(0);
  await queue.push(1, { priority: "high" });
  expect(notifications).toEqual(['["w:normal"]']);
  isLost = true;
  const low = Array.from({ length: 50 }, (_, event) => ({ event, priority: "low" }));
  await expect(queue.pushMany(low, { fallback: false })).rejects.toThrow("away");
  isLost = false;
  await vi.advanceTimersByTimeAsync(20);
  expect(notifications).toEqual(['["w:normal"]', '["w:high","w:low"]']);
});

describe.each(all)("acks, nacks and releases of one tick over $name", (backend) => {
  const start = async () => {
    const server = opened(await backend.open());
    const own = server.connect();
    const trips: string[][] = [];
    const transport: Transport = {
      ...own,
      name: own.name,
      async send(commands, asked) {
        trips.push(commands.map(([name]) => name));
        return own.send(commands, asked);
      },
    };
    const queue = opened(new FederationQueue<number>({ transport }));
    await queue.pushMany(Array.from({ length: 12 }, (_, event) => ({ event })));
    // A stream gives only a part of what one pull asks for.
    const leases = [...(await queue.pull({ max: 100 }))].sort((one, other) => one.event - other.event);
    expect(leases.length).toBe(12);
    trips.length = 0;
    return { queue, leases, trips, own };
  };

  it("share a round trip, with one command per stream and target", async () => {
    const { queue, leases, trips } = await start();
    await Promise.all([
      ...leases.slice(0, 4).map((lease) => lease.ack()),
      ...leases.slice(4, 8).map((lease) => lease.nack({ delay: "1h", reason: `not now\n${lease.event}` })),
      ...leases.slice(8).map((lease) => lease.release()),
    ]);
    expect(trips.filter((names) => names[0] !== "PUBLISH")).toEqual([["XACK", "EVAL", "EVAL"]]);
    expect(await queue.stats()).toMatchObject({ depth: 4, inFlight: 0, delayed: 4, dead: 0 });
    const again = await queue.pull({ max: 100 });
    expect(again.map(({ event, attempt }) => [event, attempt])).toEqual([8, 9, 10, 11].map((event) => [event, 1]));
  });

  it("settle each by itself", async () => {
    const { leases, own } = await start();
    const { id } = leases[1] as (typeof leases)[number];
    const [entries] = await own.send([["XRANGE", "fed:queue:normal", "-", "+"]]);
    const row = (entries as readonly (readonly [string, readonly string[]])[]).find(([, fields]) => fields[1] === id);
    // Another worker has got it, and is done with it.
    await own.send([
      ["XACK", "fed:queue:normal", "workers", row?.[0] ?? ""],
      ["XDEL", "fed:queue:normal", row?.[0] ?? ""],
    ]);
    const outcomes = await Promise.allSettled(leases.slice(0, 4).map((lease) => lease.release()));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { name: "LeaseLostError", id } });
  });
});

describe("the script for many pushes", () => {
  const start = async () => {
    const [redis, stand] = await Promise.all([all[0]?.open(), memory.open()]);
    if (!redis) throw new Error("Expected a server");
    return [opened(redis).connect(), opened(stand).connect()] as const;
  };
  const lines = (to: number): string => Array.from({ length: to }, (_, at) => `id ${at}\ntext ${at}`).join("\n");

  it.each([
    { floor: "", old: 0 },
    { floor: 50, old: 300 },
  ])("leaves the same in Lua and in TypeScript, with $old old entries and the floor $floor", async ({ floor, old }) => {
    const faces = await start();
    const left = await Promise.all(
      faces.map(async (face) => {
        const olds = Array.from(
          { length: old },
          (_, at): Command => ["XADD", "s", `${at + 1}-0`, "i", "old", "e", "1"],
        );
        await face.send([["CONFIG", "SET", "stream-node-max-entries", 10]]).catch(() => {});
        if (old > 0) await face.send(olds);
        const ids = await runScript(face, pushManyScript, ["s"], [floor, lines(30)]);
        const [entries] = await face.send([["XRANGE", "s", "-", "+"]]);
        const rows = entries as readonly (readonly [string, readonly string[]])[];
        expect(ids).toBe(
          rows
            .slice(-30)
            .map(([id]) => id)
            .join("\n"),
        );
        return rows.filter(([id]) => Number.parseInt(id, 10) >= 50).map(([, fields]) => fields);
      }),
    );
    expect(left[0]).toHaveLength(old === 0 ? 30 : old - 49 + 30);
    expect(left[1]).toEqual(left[0]);
  });

  it("returns why the first was refused, in Lua and in memory", async () => {
    for (const face of await start()) {
      await face.send([["SET", "s", "no stream"]]);
      expect(await runScript(face, pushManyScript, ["s"], ["", lines(3)])).toMatch(/^-WRONGTYPE [^\n]*$/);
    }
  });
});
