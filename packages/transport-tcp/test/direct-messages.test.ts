import { closing, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Message, TransportError } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { afterEach, describe, expect, it } from "vitest";
import { startFakeServer } from "./fake-server.ts";

const opened = closing(afterEach);
const versions = { "ioredis 5": Redis5 as unknown as typeof Redis, "ioredis 6": Redis };
const payloads = [
  "",
  "x",
  "héllo 🧠\r\n",
  new Uint8Array([0xff, 0x0d, 0x0a]),
  "\ufffd",
  "y".repeat(2_000),
  "*3\r\n$7\r\nmessage\r\n",
];

/** A subscription on a client of either version, and how many messages the parser of ioredis has read. */
async function listen(Client: typeof Redis) {
  const server = opened(await startRedisServer());
  const proxy = opened(await startFaultProxy({ port: server.port }));
  const client = new Client(`redis://127.0.0.1:${proxy.port}`, { lazyConnect: true });
  client.on("error", () => {});
  opened({ close: async () => client.disconnect() });
  let parsed = 0;
  const { duplicate } = client;
  client.duplicate = (override) => {
    const made = duplicate.call(client, override);
    for (const event of ["messageBuffer", "pmessageBuffer"]) made.on(event, () => void parsed++);
    return made;
  };
  const heard: Message[] = [];
  const transport = opened(tcpTransport({ client }));
  await transport.subscribe(
    { channels: ["a", "ä"], patterns: ["p:*"] },
    { message: (message) => void heard.push(message), interrupted() {} },
  );
  const publish = async (): Promise<Message[]> => {
    heard.length = 0;
    const expected: Message[] = [];
    for (const data of payloads) {
      await transport.send(["a", "ä", "p:1"].map((channel) => ["PUBLISH", channel, data]));
      expected.push({ channel: "a", data }, { channel: "ä", data }, { channel: "p:1", pattern: "p:*", data });
    }
    await expect.poll(() => heard.length).toBe(expected.length);
    return expected;
  };
  return { proxy, heard, publish, parsed: () => parsed };
}

describe.each(Object.entries(versions))("messages over %s", (_, Client) => {
  it("are heard as they were published, and mostly need no parser of ioredis", async () => {
    const { heard, publish, parsed } = await listen(Client);
    const expected = await publish();
    expect(heard).toEqual(expected);
    expect(parsed()).toBeLessThan(expected.length / 2);
  });

  it.each([1, 7, 50])("are the same in chunks of %i bytes", async (chunkBytes) => {
    const { proxy, heard, publish } = await listen(Client);
    proxy.set({ kind: "trickle", chunkBytes });
    expect(await publish()).toEqual(heard);
  });
});

const text = (word: string): string => `$${word.length}\r\n${word}\r\n`;

it.each([
  ["numbers in the place of texts", `*3\r\n${text("message")}:1\r\n:2\r\n`],
  ["no pattern", `*4\r\n${text("pmessage")}$-1\r\n${text("c")}${text("x")}`],
])("a message with %s interrupts the subscription", async (_, bad) => {
  const server = opened(
    await startFakeServer((__, ___, socket) => {
      setTimeout(() => socket.write(bad), 20);
      return `*3\r\n${text("subscribe")}${text("c")}:1\r\n`;
    }),
  );
  const transport = opened(tcpTransport({ url: server.url }));
  const interruptions: TransportError[] = [];
  await transport.subscribe({ channels: ["c"] }, { message() {}, interrupted: (error) => interruptions.push(error) });
  await expect.poll(() => interruptions).toMatchObject([{ kind: "protocol", delivery: "unknown" }]);
});
