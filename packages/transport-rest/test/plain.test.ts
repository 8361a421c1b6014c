import { restTransport } from "@continuum-cache/transport-rest";
import { plainRestTransport } from "@continuum-cache/transport-rest/plain";
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
