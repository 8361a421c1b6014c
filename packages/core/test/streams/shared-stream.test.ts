import fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Message } from "../../src/index.ts";
import type { StreamSettings, TopicListener } from "../../src/kit.ts";
import { serverStreamOf, sharedStreamOf } from "../../src/streams/shared-stream.ts";
import { type ScriptedServer, scriptedServer } from "./scripted-transport.ts";

const settings: StreamSettings = {
  timeoutMs: 1_000,
  heartbeatMs: 10_000,
  heartbeatTimeoutMs: 500,
  heartbeatChannel: "alive",
  maxReconnectWaitMs: 1_000,
};
const ends = { timeoutMs: 2_000 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
});

/** Lets everything come to rest that does not wait for a timer, echoes included. */
async function rest(server: ScriptedServer): Promise<void> {
  for (let turn = 0; turn < 40; turn++) {
    await Promise.resolve();
    server.deliverAll();
  }
}

/** A listener that writes down what it is told. */
function recorder(serverOnly: boolean) {
  const told: string[] = [];
  const listener: TopicListener = {
    ...(serverOnly && { serverOnly: true }),
    message: ({ data }: Message) => void told.push(String(data)),
    lost: () => void told.push("lost"),
    restored: ({ degraded }) => void told.push(degraded ? "restored here" : "restored"),
  };
  return { told, listener };
}

async function attach(server: ScriptedServer, kind: "full" | "serverOnly", name: string) {
  const { told, listener } = recorder(kind === "serverOnly");
  const stream = kind === "full" ? sharedStreamOf(server.transport, settings) : serverStreamOf(server.primary);
  const attaching = stream.attach({ kind: "channel", name }, listener, ends);
  attaching.catch(() => {});
  await rest(server);
  const { detach, start } = await attaching;
  return { told, detach, start };
}

describe.each([
  ["grow, as over TCP", true],
  ["not grow, as over REST", false],
])("listeners of one server, where streams can %s", (_, canGrow) => {
  it("share one stream in either order of arrival", async () => {
    for (const order of [
      ["full", "serverOnly"],
      ["serverOnly", "full"],
    ] as const) {
      const server = scriptedServer(canGrow);
      for (const kind of order) await attach(server, kind, kind);
      expect(server.open.map(({ via, topics }) => [via, topics.has("full"), topics.has("serverOnly")])).toEqual([
        ["whole", true, true],
      ]);
    }
  });

  it("tells a full listener of no gap when a serverOnly listener joins", async () => {
    const server = scriptedServer(canGrow);
    const full = await attach(server, "full", "news");
    server.publish("news", "1");
    const { told } = await attach(server, "serverOnly", "jobs");
    server.publish("news", "2");
    server.publish("jobs", "job");
    await rest(server);
    expect([full.told, told]).toEqual([["1", "2"], ["job"]]);
  });

  it("tells serverOnly listeners that they may have missed something when the first full listener comes", async () => {
    const server = scriptedServer(canGrow);
    const jobs = await attach(server, "serverOnly", "jobs");
    server.publish("jobs", "1");
    await rest(server);
    const full = await attach(server, "full", "news");
    server.publish("jobs", "2");
    await rest(server);
    expect(jobs.told).toEqual(["1", "lost", "restored", "2"]);
    expect(full.told).toEqual([]);
  });

  it("goes past the stand-in and sends no heartbeat while all listeners are serverOnly", async () => {
    const server = scriptedServer(canGrow);
    await attach(server, "serverOnly", "jobs");
    await attach(server, "serverOnly", "events");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.open.map(({ via, topics }) => [via, [...topics]])).toEqual([["primary", ["jobs", "events"]]]);
    expect(server.heartbeats).toBe(0);
  });

  it("sends heartbeats for as long as a full listener is there", async () => {
    const server = scriptedServer(canGrow);
    await attach(server, "serverOnly", "jobs");
    const full = await attach(server, "full", "news");
    const before = server.heartbeats;
    for (let step = 0; step < 100; step++) {
      await vi.advanceTimersByTimeAsync(400);
      await rest(server);
    }
    expect(server.heartbeats).toBeGreaterThan(before + 2);
    full.detach();
    const after = server.heartbeats;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.heartbeats).toBe(after);
  });

  it("tells all listeners of a break, and hears everything again after one attempt", async () => {
    const server = scriptedServer(canGrow);
    const full = await attach(server, "full", "news");
    const jobs = await attach(server, "serverOnly", "jobs");
    const before = server.streams.length;
    server.open[0]?.break();
    await vi.advanceTimersByTimeAsync(100);
    await rest(server);
    expect([full.told, jobs.told]).toEqual([
      ["lost", "restored"],
      ["lost", "restored"],
    ]);
    expect(server.streams.length).toBe(before + 1);
    server.publish("news", "1");
    server.publish("jobs", "2");
    await rest(server);
    expect([full.told.at(-1), jobs.told.at(-1)]).toEqual(["1", "2"]);
  });

  it("hands messages of this process to full listeners alone", async () => {
    const server = scriptedServer(canGrow);
    const full = await attach(server, "full", "jobs");
    const jobs = await attach(server, "serverOnly", "jobs");
    server.publishHere("jobs", "of this process");
    await rest(server);
    expect(sharedStreamOf(server.transport, settings).deliverHere("jobs", "with a history")).toBe(1);
    expect(full.told).toEqual(["of this process", "with a history"]);
    expect(jobs.told).toEqual([]);
    full.detach();
    expect(sharedStreamOf(server.transport, settings).deliverHere("jobs", "for no one")).toBe(0);
  });

  it("keeps full listeners of the primary apart from those of the fallback above it", async () => {
    const server = scriptedServer(canGrow);
    const { told } = await attach(server, "full", "news");
    const past = recorder(false);
    const attaching = sharedStreamOf(server.primary, settings).attach(
      { kind: "channel", name: "news" },
      past.listener,
      ends,
    );
    await rest(server);
    await attaching;
    server.publishHere("news", "of this process");
    server.publish("news", "1");
    await rest(server);
    sharedStreamOf(server.transport, settings).deliverHere("news", "with a history");
    expect(told).toEqual(["of this process", "1", "with a history"]);
    expect(past.told).toEqual(["1"]);
  });

  it("tells a serverOnly listener that the server is not heard while a stream hears this process alone", async () => {
    const server = scriptedServer(canGrow);
    await attach(server, "full", "news");
    const jobs = await attach(server, "serverOnly", "jobs");
    server.isAway = true;
    server.open[0]?.break();
    await vi.advanceTimersByTimeAsync(100);
    await rest(server);
    expect(jobs.told).toEqual(["lost", "restored here"]);
    server.isAway = false;
    server.open[0]?.break();
    await vi.advanceTimersByTimeAsync(200);
    await rest(server);
    expect(jobs.told.slice(2)).toEqual(["lost", "restored"]);
  });

  it("restores other topics though one is forbidden", async () => {
    const server = scriptedServer(canGrow);
    server.forbidden.add("jobs");
    const full = await attach(server, "full", "news");
    await expect(attach(server, "serverOnly", "jobs")).rejects.toMatchObject({ kind: "unauthorized" });
    server.open[0]?.break();
    await vi.advanceTimersByTimeAsync(100);
    await rest(server);
    expect(full.told).toEqual(["lost", "restored"]);
  });

  it("needs no permission for the heartbeat's channel while all listeners are serverOnly", async () => {
    const server = scriptedServer(canGrow);
    const isForbidden = server.forbidden.has.bind(server.forbidden);
    server.forbidden.has = (channel) => channel.startsWith("alive") || isForbidden(channel);
    const jobs = await attach(server, "serverOnly", "jobs");
    await expect(attach(server, "full", "news")).rejects.toMatchObject({ kind: "unauthorized" });
    server.publish("jobs", "1");
    await rest(server);
    expect(jobs.told.at(-1)).toBe("1");
  });

  it("closes the stream when the last listener has left", async () => {
    const server = scriptedServer(canGrow);
    const full = await attach(server, "full", "news");
    const jobs = await attach(server, "serverOnly", "jobs");
    full.detach();
    await rest(server);
    expect(server.open).toHaveLength(1);
    jobs.detach();
    await rest(server);
    expect(server.open).toHaveLength(0);
  });
});

type Action = "publish" | "deliver" | "break" | "time" | "away" | "back" | "here" | "full" | "serverOnly" | "leave";
const actions: readonly Action[] = [
  ...["publish", "publish", "publish", "deliver", "deliver", "break", "time"],
  ...["away", "back", "here", "full", "serverOnly", "leave"],
] as Action[];

it.each([true, false])(
  "tells a full listener of each message or of a gap, in any order of events (grows: %s)",
  async (canGrow) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...actions), { maxLength: 40 }), async (script) => {
        const server = scriptedServer(canGrow);
        const sent: number[] = [];
        const full = await attach(server, "full", "news");
        const jobs = await attach(server, "serverOnly", "news");
        let next = 0;
        const others: (() => void)[] = [];
        for (const action of script) {
          if (action === "publish" && !server.isAway) {
            sent.push(next);
            server.publish("news", String(next++));
          } else if (action === "here") server.publishHere("news", "here");
          else if (action === "deliver") for (const stream of server.open) stream.deliver();
          else if (action === "break") server.open[0]?.break();
          else if (action === "time") await vi.advanceTimersByTimeAsync(300);
          else if (action === "away") server.isAway = true;
          else if (action === "back") server.isAway = false;
          else if (action === "leave") others.pop()?.();
          else if (action === "full" || action === "serverOnly") {
            const { listener } = recorder(action === "serverOnly");
            const stream =
              action === "full" ? sharedStreamOf(server.transport, settings) : serverStreamOf(server.primary);
            const topic = { kind: "channel", name: `other ${others.length}` } as const;
            stream.attach(topic, listener, ends).then(
              ({ detach }) => others.push(detach),
              () => {},
            );
          }
          for (let turn = 0; turn < 5; turn++) await Promise.resolve();
        }
        server.isAway = false;
        for (let look = 0; look < 4; look++) {
          await rest(server);
          // A stream that hears this process alone ends when the server is back.
          if (look === 0) server.open[0]?.break();
          await vi.advanceTimersByTimeAsync(2_000);
        }
        await rest(server);
        sent.push(next);
        server.publish("news", String(next));
        await rest(server);
        for (const { told } of [full, jobs]) {
          const heard = told.filter((one) => /^\d+$/.test(one)).map(Number);
          // In order, and each once.
          expect(heard).toEqual([...new Set(heard)].sort((one, other) => one - other));
          expect(heard.at(-1)).toBe(next);
          // What is missing is missing between a loss and a restoration.
          let expected = 0;
          let mayMiss = false;
          for (const one of told) {
            if (one === "lost" || one.startsWith("restored")) mayMiss = true;
            if (!/^\d+$/.test(one)) continue;
            if (!mayMiss) expect(Number(one)).toBe(expected);
            expected = Number(one) + 1;
            mayMiss = false;
          }
        }
        expect(jobs.told).not.toContain("here");
        expect(server.open).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  },
);
