import { guarded, type SendOptions, type Transport, TransportError } from "@continuum-cache/core";
import { batched } from "@continuum-cache/core/kit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const unwanted: SendOptions = { isWanted: () => false };

describe("trips of one tick that were not sent", () => {
  let sent: string[];
  let together: Transport;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    sent = [];
    const refusing: Transport = {
      name: "refusing",
      async send(commands) {
        sent.push(commands.map(([, key]) => key).join(" "));
        throw new TransportError("unreachable", "down", { transport: "refusing", delivery: "none" });
      },
      async close() {},
    };
    together = batched(guarded(refusing, { retries: 1, breaker: false }));
  });
  afterEach(() => void vi.useRealTimers());

  const settled = async (calls: Promise<unknown>[]): Promise<void> => {
    const outcomes = Promise.allSettled(calls);
    await vi.runAllTimersAsync();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: "rejected" });
  };

  it("are not sent again when no caller waits for them", async () => {
    await settled(["a", "b"].map((key) => together.send([["INCR", key]], unwanted)));
    expect(sent).toEqual(["a b"]);
  });

  it.each<[string, SendOptions | undefined]>([
    ["says that it does", { isWanted: () => true }],
    ["says nothing", undefined],
  ])("are sent again while one caller waits for them, and %s", async (_, wanted) => {
    await settled([together.send([["INCR", "a"]], unwanted), together.send([["INCR", "b"]], wanted)]);
    await settled([together.send([["INCR", "c"]], wanted), together.send([["INCR", "d"]], unwanted)]);
    expect(sent).toEqual(["a b", "a b", "c d", "c d"]);
  });
});
