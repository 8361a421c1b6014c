import { startRedisServer } from "@continuum-cache/conformance/servers";
import { closing } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterEach, describe, expect, it, vi } from "vitest";
import { remoteAddressOf } from "../../src/websocket/addresses.ts";
import { createWebSocketBridge, type ServerSocket, type WebSocketBridgeOptions } from "../../src/websocket.ts";
import { type PacedSocket, pacedChannel, pacedSocket } from "./stand-in.ts";
import { startBridge } from "./ws-server.ts";

const opened = closing();
afterEach(() => vi.useRealTimers());

const flushed = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve();
};

interface Visitor {
  readonly ip: string;
}

function bridgeOf(options: Partial<WebSocketBridgeOptions<Visitor>> = {}) {
  const channel = pacedChannel();
  const errors: unknown[] = [];
  const bridge = createWebSocketBridge<Visitor>(channel, {
    authorize: () => true,
    addressOf: ({ ip }) => ip,
    onError: (error) => errors.push(error),
    heartbeat: "1s",
    ...options,
  });
  const enter = (ip: string): PacedSocket => {
    const socket = pacedSocket();
    bridge.accept(socket, { ip });
    return socket;
  };
  return { channel, bridge, errors, enter };
}

/** A socket of which one member throws, or returns a promise that rejects. */
function broken(member: string, how: "throws" | "rejects"): ServerSocket {
  const socket: Record<string, unknown> = {
    readyState: 1,
    bufferedAmount: 0,
    send: () => {},
    close: () => {},
    terminate: () => {},
    ping: () => {},
    on: () => {},
    accept: () => {},
    addEventListener: () => {},
  };
  const fail = (): unknown => {
    if (how === "rejects") return Promise.reject(new Error(`${member} rejects`));
    throw new Error(`${member} throws`);
  };
  if (member === "readyState" || member === "bufferedAmount") Object.defineProperty(socket, member, { get: fail });
  else socket[member] = fail;
  return socket as unknown as ServerSocket;
}

describe("a socket that breaks its promises", () => {
  const members = ["readyState", "bufferedAmount", "send", "close", "terminate", "ping", "on", "accept"] as const;
  it.each(
    [...members, "addEventListener"].flatMap((member) => [[member, "throws"] as const, [member, "rejects"] as const]),
  )("in `%s`, which %s, ends neither the process nor the service of others, and is told", async (member, how) => {
    vi.useFakeTimers();
    const { bridge, errors, enter, channel } = bridgeOf({ maxClients: 3, patience: "1s" });
    bridge.accept(broken(member, how), { ip: "evil" });
    const good = enter("good");
    good.hear({ type: "subscribe", channel: "c" });
    await flushed();
    // Two looks for a sign of life; with the third one `good` would have to speak up.
    await vi.advanceTimersByTimeAsync(2_400);
    bridge.accept(broken(member, how), { ip: "evil" });
    enter("other");
    // One too many: it is refused.
    bridge.accept(broken(member, how), { ip: "evil" });
    channel.publish("still told", { replay: false });
    await channel.settle();
    expect(good.frames.at(-1)).toMatchObject({ type: "message", data: "still told" });
    const closed = bridge.close();
    await vi.advanceTimersByTimeAsync(10_000);
    await closed;
    expect(bridge.stats()).toMatchObject({ clients: 0, subscriptions: 0 });
    expect(vi.getTimerCount()).toBe(0);
    // What only matters when it is used may never have been.
    if (["ping", "accept", "addEventListener", "close", "on"].includes(member))
      expect(errors.length).toBeGreaterThan(0);
  });

  it("is refused without an unhandled error, and ended when it does not close", async () => {
    vi.useFakeTimers();
    const { bridge, enter } = bridgeOf({ maxClients: 1 });
    enter("a");
    const listeners = new Set<string>();
    const terminate = vi.fn();
    const add = (type: string): void => void listeners.add(type);
    const never = { readyState: 1, send: () => {}, close: () => {}, terminate, addEventListener: add };
    bridge.accept(never, { ip: "a" });
    expect([...listeners].sort()).toEqual(["close", "error", "message"]);
    expect(bridge.stats()).toMatchObject({ clients: 1, refused: 1 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(terminate).toHaveBeenCalledOnce();
  });
});

describe("many sockets of one address", () => {
  it("can't lock out others: each newcomer of another address takes the place of one of them", () => {
    const { bridge, enter } = bridgeOf({ maxClients: 10 });
    const crowd = Array.from({ length: 20 }, () => enter("crowd"));
    expect(crowd.filter(({ closed }) => closed.length > 0)).toHaveLength(10);
    const honest = Array.from({ length: 4 }, (_, index) => enter(`honest ${index}`));
    expect(honest.every(({ closed }) => closed.length === 0)).toBe(true);
    expect(bridge.clients).toBe(10);
    expect(crowd.filter(({ closed }) => closed.length > 0)).toHaveLength(14);
    expect(crowd.flatMap(({ closed }) => closed).every(({ code }) => code === 1013)).toBe(true);
    expect(bridge.stats()).toMatchObject({ refused: 14 });
  });

  it("behind one proxy lock out no one who is there: a newcomer is refused as long as all have the same", () => {
    const { bridge, enter } = bridgeOf({ maxClients: 3 });
    const here = [enter("a"), enter("b"), enter("c")];
    expect(enter("d").closed).toEqual([{ code: 1013 }]);
    expect(here.every(({ closed }) => closed.length === 0)).toBe(true);
    expect(bridge.clients).toBe(3);
  });

  it("are no more than `maxClientsPerAddress`", () => {
    const { enter } = bridgeOf({ maxClientsPerAddress: 2 });
    const [one, , three] = [enter("a"), enter("a"), enter("a")];
    expect(three?.closed).toEqual([{ code: 1013 }]);
    expect(enter("b").closed).toEqual([]);
    one?.close(1000);
    expect(enter("a").closed).toEqual([]);
  });

  it("are not counted where `addressOf` knows none or throws, which the operator is told", () => {
    const { enter, errors } = bridgeOf({
      maxClientsPerAddress: 1,
      addressOf({ ip }) {
        if (ip === "throws") throw new Error("no address");
        return undefined;
      },
    });
    for (const ip of ["none", "none", "throws", "throws"]) expect(enter(ip).closed).toEqual([]);
    expect(errors).toHaveLength(2);
  });

  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:0db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    [undefined, undefined],
  ])("an address of `ws` is %s by default: %s", (remoteAddress, address) => {
    expect(remoteAddressOf({ _socket: { remoteAddress } } as unknown as ServerSocket)).toBe(address);
    expect(remoteAddressOf({} as ServerSocket)).toBeUndefined();
  });
});

describe("subscribing and unsubscribing again and again", () => {
  it("is told `too-fast`, and possible again later; the connection stays", async () => {
    vi.useFakeTimers();
    const { enter } = bridgeOf({ maxChannels: 5, heartbeat: false });
    const socket = enter("a");
    const round = async (): Promise<string> => {
      socket.hear({ type: "subscribe", channel: "c" });
      await flushed();
      const frame = socket.frames.at(-1);
      socket.hear({ type: "unsubscribe", channel: "c" });
      return String(frame?.["code"] ?? frame?.type);
    };
    const answers: string[] = [];
    for (let count = 0; count < 30; count++) answers.push(await round());
    expect(answers.filter((answer) => answer === "subscribed")).toHaveLength(4);
    expect(answers.at(-1)).toBe("too-fast");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await round()).toBe("subscribed");
    expect(socket.closed).toEqual([]);
  });

  it("is bounded for all sockets of an address together, those that come back too", async () => {
    vi.useFakeTimers();
    const { enter } = bridgeOf({ maxChannels: 5, heartbeat: false });
    let subscribed = 0;
    for (let visit = 0; visit < 40; visit++) {
      const socket = enter("a");
      for (let count = 0; count < 5; count++) socket.hear({ type: "subscribe", channel: `c${count}` });
      await flushed();
      subscribed += socket.frames.filter(({ type }) => type === "subscribed").length;
      socket.close(1000);
    }
    // Ten times as many as one client may at once, which is 20 at least.
    expect(subscribed).toBe(50);
    const other = enter("b");
    other.hear({ type: "subscribe", channel: "c" });
    await flushed();
    expect(other.frames.at(-1)).toMatchObject({ type: "subscribed" });
  });

  it("costs Redis few commands, however many frames there are", async () => {
    const redis = opened(await startRedisServer());
    const server = opened(await startBridge(tcpTransport({ url: redis.url }), { replay: () => true }));
    for (let count = 0; count < 100; count++) await server.pubsub.publish("c", { count }, { replay: true });
    const client = await server.connect();
    await redis.resetStats();
    for (let count = 0; count < 90; count++) {
      client.say({ type: "subscribe", channel: "c", after: "beginning" });
      client.say({ type: "unsubscribe", channel: "c" });
    }
    await client.until((frames) => frames.filter(({ type }) => type === "unsubscribed").length === 90);
    const calls = Object.entries(await redis.commandStats()).filter(([name]) =>
      /^(subscribe|unsubscribe|x|time)/.test(name),
    );
    const served = client.frames.filter(({ type }) => type === "subscribed").length;
    expect(served).toBeLessThan(90);
    // A subscription and two pages of its history, each time.
    expect(calls.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(12 * (served + 1));
  });
});

describe("a subscription that was granted", () => {
  it("is revoked by its channel and its client's context, and nothing of the channel comes any more", async () => {
    const { bridge, channel, enter } = bridgeOf();
    const [ada, bob] = [enter("ada"), enter("bob")];
    for (const socket of [ada, bob]) socket.hear({ type: "subscribe", channel: "c" });
    await flushed();
    expect(bridge.revoke((name, { ip }) => name === "c" && ip === "bob")).toBe(1);
    expect(bob.frames.at(-1)).toMatchObject({ type: "error", code: "forbidden", channel: "c" });
    const before = bob.frames.length;
    channel.publish("secret", { replay: false });
    await channel.settle();
    expect(ada.frames.at(-1)).toMatchObject({ type: "message", data: "secret" });
    expect(bob.frames).toHaveLength(before);
    expect(bob.closed).toEqual([]);
    expect(bridge.stats()).toMatchObject({ subscriptions: 1 });
    expect(bridge.revoke((name) => name === "c")).toBe(1);
    expect(bridge.revoke(() => true)).toBe(0);
  });

  it("is revoked while `authorize` is still deciding by what was true before", async () => {
    let answer: (allowed: boolean) => void = () => {};
    const { bridge, enter } = bridgeOf({
      authorize: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    const socket = enter("a");
    socket.hear({ type: "subscribe", channel: "c" });
    await flushed();
    expect(bridge.revoke(() => true)).toBe(1);
    answer(true);
    await flushed();
    expect(socket.frames).toMatchObject([{ type: "error", code: "forbidden" }]);
    expect(bridge.stats()).toMatchObject({ subscriptions: 0, channels: 0 });
    socket.hear({ type: "subscribe", channel: "c" });
    await flushed();
    answer(true);
    await flushed();
    expect(socket.frames.at(-1)).toMatchObject({ type: "subscribed" });
  });
});
