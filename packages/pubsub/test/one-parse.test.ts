import { type Codec, json } from "@continuum-cache/core";
import { closing, memory, servers } from "@continuum-cache/fixtures";
import { describe, expect, it, vi } from "vitest";
import { type Message, PubSub } from "../src/index.ts";

const opened = closing();

/** JSON that counts how often it is asked. */
function counting(): Codec & { readonly calls: { encode: number; decode: number } } {
  const codec = json();
  const calls = { encode: 0, decode: 0 };
  return {
    ...codec,
    calls,
    encode(value) {
      calls.encode++;
      return codec.encode(value);
    },
    decode(stored) {
      calls.decode++;
      return codec.decode(stored);
    },
  };
}

describe.each([...servers, memory])("a message over $name", (backend) => {
  it.each([{ replay: false }, { replay: true }])(
    "is written once and read once for any number of listeners, with $replay as replay",
    async ({ replay }) => {
      const server = opened(await backend.open());
      const codec = counting();
      const pubsub = opened(new PubSub({ transport: server.connect() }, { codec }));
      const heard: Message[][] = [];
      const listen = (): ((message: Message) => void) => {
        const own: Message[] = [];
        heard.push(own);
        return (message) => void own.push(message);
      };
      for (let listeners = 0; listeners < 3; listeners++) {
        for (const kind of [false, true, { age: "2h" } as const]) {
          await pubsub.subscribe("news", { replay: kind, onMessage: listen() });
        }
        await pubsub.subscribe("news", { replay: false });
        await pubsub.subscribe("news", { replay: true });
        pubsub.on("message", listen());
      }
      const count = 20;
      for (let at = 0; at < count; at++) await pubsub.publish("news", { at }, { replay });
      await vi.waitFor(() => expect(heard.every((own) => own.length === count)).toBe(true), { timeout: 60_000 });
      for (const own of heard) expect(own.map(({ data }) => data)).toEqual(heard[0]?.map(({ data }) => data));
      expect(codec.calls).toEqual({ encode: count, decode: count });
    },
  );
});
