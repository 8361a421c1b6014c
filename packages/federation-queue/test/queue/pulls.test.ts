import { type Transport, TransportError } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { expect, it } from "vitest";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import { closing } from "./backends.ts";

const opened = closing();

it("a pull does not wait for an earlier unanswered one, and each message goes to one of them", async () => {
  const store = opened(memoryTransport());
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let reads = 0;
  const transport: Transport = {
    ...store,
    name: "server",
    async send(commands, options) {
      const replies = await store.send(commands, options);
      if (commands[0]?.[0] === "XREADGROUP" && ++reads === 1) await answered;
      return replies;
    },
  };
  const queue = opened(new FederationQueue<number>({ transport }, { priorities: ["normal"] }));
  await queue.pushMany([{ event: 1 }, { event: 2 }, { event: 3 }]);
  const first = queue.pull({ max: 2 });
  const second = await queue.pull({ max: 2 });
  answer();
  const events = [...(await first), ...second].map(({ event }) => event);
  expect(second.length).toBeGreaterThan(0);
  expect(new Set(events).size).toBe(events.length);
  expect(new Set(events)).toEqual(new Set([1, 2, 3]));
});

it("a pull that is answered after its queue was closed rejects, and releases its messages", async () => {
  const store = opened(memoryTransport());
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const transport: Transport = {
    ...store,
    name: "server",
    async send(commands, options) {
      const replies = await store.send(commands, options);
      if (commands[0]?.[0] === "XREADGROUP" && Array.isArray(replies[0])) await answered;
      return replies;
    },
  };
  const priorities = ["normal"];
  const queue = opened(new FederationQueue<number>({ transport }, { priorities }));
  await queue.push(1);
  const pulled = queue.pull();
  pulled.catch(() => {});
  await expect.poll(async () => (await queue.stats()).inFlight).toBe(1);
  await queue.close();
  answer();
  await expect(pulled).rejects.toThrow("The queue was closed");
  const other = opened(new FederationQueue<number>({ transport: store }, { priorities }));
  expect((await other.pull()).map(({ event }) => event)).toEqual([1]);
});

it("the next pull finds the messages of a lost reply, even if another pull is searching for them", async () => {
  const store = opened(memoryTransport());
  const lost = new TransportError("timeout", "No answer", { transport: "server", delivery: "unknown" });
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let isLost = false;
  let looks = 0;
  const transport: Transport = {
    ...store,
    name: "server",
    async send(commands, options) {
      const replies = await store.send(commands, options);
      const [command] = commands;
      if (command?.[0] !== "XREADGROUP") return replies;
      if (command.at(-1) === "0" && ++looks === 1) await answered;
      if (command.at(-1) === ">" && isLost) throw lost;
      return replies;
    },
  };
  const queue = opened(new FederationQueue<number>({ transport }, { priorities: ["normal"] }));
  expect(await queue.pull({ max: 10 })).toEqual([]);
  isLost = true;
  await expect(queue.pull({ max: 10 })).rejects.toBe(lost);
  const looking = queue.pull({ max: 10 });
  await expect.poll(() => looks).toBe(1);
  await queue.push(1);
  await expect(queue.pull({ max: 10 })).rejects.toBe(lost);
  isLost = false;
  answer();
  const events = [...(await looking), ...(await queue.pull({ max: 10 }))].map(({ event }) => event);
  expect(events).toEqual([1]);
});
