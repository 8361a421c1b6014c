import { closing, memory, servers } from "@continuum-cache/fixtures";
import { expect, it } from "vitest";
import { PubSub } from "../../src/index.ts";

const opened = closing();

it.each([memory, ...servers])(
  "$name: messages of one tick stand in their history as they were published, with a signal or without",
  async ({ open }) => {
    const backend = opened(await open());
    const pubsub = opened(new PubSub({ transport: backend.connect() }, { replay: true }));
    await pubsub.publish("orders", 0);
    const { signal } = new AbortController();
    const published = await Promise.all([
      pubsub.publish("orders", 1),
      pubsub.publish("orders", 2, { signal }),
      pubsub.publish("orders", 3),
    ]);
    const [first = 0, ...others] = published.map(({ position }) => position?.seq ?? Number.NaN);
    expect(others).toEqual([first + 1, first + 2]);
  },
);

it.each(servers)(
  "$name: a message that is kept and one that is not are heard as they were published",
  async ({ open }) => {
    const backend = opened(await open());
    const pubsub = opened(new PubSub({ transport: backend.connect() }));
    const heard: unknown[] = [];
    await pubsub.subscribe("orders", { onMessage: ({ data }) => void heard.push(data) });
    await pubsub.publish("orders", 0, { replay: true });
    await Promise.all([pubsub.publish("orders", 1, { replay: true }), pubsub.publish("orders", 2)]);
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([0, 1, 2]);
  },
);

it("what was published before a close is sent, also when it was the first of all", async () => {
  const backend = opened(await memory.open());
  const pubsub = new PubSub({ transport: backend.connect() });
  const published = pubsub.publish("orders", 1);
  await pubsub.close();
  expect(await published).toEqual({ receivers: 0 });
});
