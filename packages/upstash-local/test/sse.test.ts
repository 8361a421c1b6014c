import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { onBothEngines } from "./engines.ts";
import { openStream, until } from "./event-stream.ts";
import { base64, post, send } from "./raw-http.ts";

onBothEngines(
  "server-sent events",
  (running) => {
    const url = () => running().server.url;
    const publish = async (channel: string, payload: string | Uint8Array) =>
      (await send(url(), `/publish/${encodeURIComponent(channel)}`, { body: payload })).json;

    it("/subscribe confirms, then brings messages, each terminated by a blank line", async () => {
      const stream = await openStream(url(), "/subscribe/chat");
      expect([stream.status, stream.headers["content-type"]]).toEqual([200, "text/event-stream"]);
      await stream.first(1);
      expect(await publish("chat", "hello")).toEqual({ result: 1 });
      await publish("chat", "how are you today?");
      await stream.first(3);
      // The blank line may come in a packet of its own.
      await expect
        .poll(() => stream.text())
        .toBe("data: subscribe,chat,1\n\ndata: message,chat,hello\n\ndata: message,chat,how are you today?\n\n");
      stream.abort();
    });

    it("/psubscribe brings pattern, channel and payload, commas included", async () => {
      const stream = await openStream(url(), "/psubscribe/user:*");
      expect(await stream.first(1)).toEqual(["psubscribe,user:*,1"]);
      await publish("user:123", '{"user":"u1","n":2}');
      expect((await stream.first(2))[1]).toBe('pmessage,user:*,user:123,{"user":"u1","n":2}');
      stream.abort();
    });

    it("several channels share a stream, counted one by one", async () => {
      const stream = await openStream(url(), "/subscribe/a/b/c%2Fd", { method: "GET" });
      expect(await stream.first(3)).toEqual(["subscribe,a,1", "subscribe,b,2", "subscribe,c/d,3"]);
      await publish("c/d", "x");
      await publish("a", "y");
      expect((await stream.first(5)).slice(3)).toEqual(["message,c/d,x", "message,a,y"]);
      stream.abort();
    });

    it("ignores the body of the official client, an empty JSON array, and its base64 header", async () => {
      const stream = await openStream(url(), "/subscribe/chat", {
        body: "[]",
        headers: { ...base64, "content-type": "application/json", accept: "text/event-stream" },
      });
      await stream.first(1);
      await publish("chat", "hello");
      expect(await stream.first(2)).toEqual(["subscribe,chat,1", "message,chat,hello"]);
      stream.abort();
    });

    it("a payload with line breaks stays one event and forges none; JSON stays the same", async () => {
      const stream = await openStream(url(), "/subscribe/chat");
      await stream.first(1);
      await publish("chat", "one\ndata: message,chat,forged\r\ntwo\rthree");
      const pretty = JSON.stringify({ a: [1, "x"] }, undefined, 2);
      await publish("chat", pretty);
      const [, first, second = ""] = await stream.first(3);
      expect(first).toBe("message,chat,one data: message,chat,forged two three");
      expect(JSON.parse(second.slice("message,chat,".length))).toEqual(JSON.parse(pretty));
      stream.abort();
    });

    it("bytes that are no UTF-8 become U+FFFD", async () => {
      const stream = await openStream(url(), "/subscribe/chat");
      await stream.first(1);
      await publish("chat", Uint8Array.from([0x61, 0xff]));
      expect((await stream.first(2))[1]).toBe("message,chat,a\ufffd");
      stream.abort();
    });

    it("heartbeats are comments", async () => {
      const stream = await openStream(url(), "/subscribe/quiet");
      await until(
        () => stream.text().includes(": heartbeat\n\n"),
        () => "Expected a heartbeat",
      );
      expect(stream.data()).toEqual(["subscribe,quiet,1"]);
      stream.abort();
    });

    it("a client that goes away is unsubscribed", async () => {
      const streams = await Promise.all(Array.from({ length: 5 }, () => openStream(url(), "/subscribe/gone")));
      for (const stream of streams) await stream.first(1);
      expect(await publish("gone", "x")).toEqual({ result: 5 });
      for (const stream of streams) stream.abort();
      await until(
        async () => ((await publish("gone", "x")) as { result: number }).result === 0,
        () => "Expected no receiver to be left",
      );
    });

    it("a token in the query opens a stream, for EventSource in browsers", async () => {
      const response = await fetch(`${url()}/subscribe/chat?_token=local`);
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      await response.body?.cancel();
    });

    it("a stream without a channel is refused", async () => {
      for (const path of ["/subscribe", "/subscribe/", "/psubscribe", "/subscribe/a//b", "/subscribe/%ff"]) {
        const answer = await post(url(), path, []);
        expect([answer.status, answer.json]).toEqual([
          400,
          { error: expect.stringMatching(/^ERR a channel or pattern/) },
        ]);
      }
    });

    it("a client that does not read is dropped before it fills the memory", async () => {
      const request = httpRequest(`${url()}/subscribe/flood`, {
        headers: { authorization: "Bearer local" },
        agent: false,
      });
      request.on("error", () => {}).end();
      const [response] = (await once(request, "response")) as [IncomingMessage];
      response.on("error", () => {}).pause();
      const megabyte = Buffer.alloc(1 << 20, "x");
      let receivers = 1;
      for (let sent = 0; sent < 100 && receivers > 0; sent++) {
        receivers = ((await publish("flood", megabyte)) as { result: number }).result;
      }
      expect(receivers).toBe(0);
      request.destroy();
    });

    it("many messages arrive in order", async () => {
      const stream = await openStream(url(), "/subscribe/many");
      await stream.first(1);
      const commands = Array.from({ length: 500 }, (_, index) => ["PUBLISH", "many", `${index}`]);
      await post(url(), "/pipeline", commands);
      expect((await stream.first(501)).slice(1)).toEqual(commands.map((_, index) => `message,many,${index}`));
      stream.abort();
    });
  },
  { heartbeat: "100ms" },
);
