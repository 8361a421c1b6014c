import { restTransport } from "@continuum-cache/transport-rest";
import { plainRestTransport, sendOnlyRestTransport } from "@continuum-cache/transport-rest/plain";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: UpstashLocal;
beforeAll(async () => {
  server = await startUpstashLocal({ port: 0 });
});
afterAll(() => server.close());

describe("plainRestTransport", () => {
  it("sends and listens as restTransport does, and has no client", async () => {
    const plain = plainRestTransport({ url: server.url, token: server.token });
    const official = restTransport({ url: server.url, token: server.token });
    expect(
      await plain.send([
        ["SET", "plain", "1"],
        ["GET", "plain"],
      ]),
    ).toEqual(["OK", "1"]);
    expect(await official.client.get("plain")).toBe(1);
    const heard: unknown[] = [];
    const listener = { message: ({ data }: { data: unknown }) => heard.push(data), interrupted() {} };
    const subscription = await plain.subscribe({ channels: ["news"] }, listener);
    await official.send([["PUBLISH", "news", "hello"]]);
    await expect.poll(() => heard).toEqual(["hello"]);
    await subscription.close();
    expect("client" in plain).toBe(false);
    expect(Object.keys(official)).toEqual(Object.keys(plain));
    await plain.close();
    await official.close();
  });

  it("rejects bad options at once", () => {
    expect(() => plainRestTransport({ url: "db.upstash.io", token: "t" })).toThrow(/missing scheme/);
    expect(() => plainRestTransport({ url: server.url, token: "t", client: 1 } as never)).toThrow(/no option "client"/);
  });
});

describe("sendOnlyRestTransport", () => {
  it("sends and publishes, and has nothing to listen by", async () => {
    const transport = sendOnlyRestTransport({ url: server.url, token: server.token });
    const replies = await transport.send([
      ["SET", "send-only", "1"],
      ["GET", "send-only"],
      ["PUBLISH", "news", "hello"],
    ]);
    expect(replies).toEqual(["OK", "1", 0]);
    expect(Object.keys(transport)).toEqual(["name", "send", "close"]);
    await transport.close();
    await expect(transport.send([["PING"]])).rejects.toMatchObject({ kind: "closed" });
  });
});
