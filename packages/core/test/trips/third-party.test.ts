import { Cache, guarded, isTransportError, type Reply, type Transport } from "@continuum-cache/core";
import { batched } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

/** A transport whose `send` does this, whatever its type says. */
const sending = (send: () => unknown): Transport => ({
  name: "foreign",
  send: send as Transport["send"],
  close: async () => {},
});

/** What breaks the promise of `send`, by what it does. */
const broken: Record<string, () => unknown> = {
  "throws at once": () => {
    throw new TypeError("not ready");
  },
  "rejects with something else": () => Promise.reject(new TypeError("not ready")),
  "brings no replies": async () => undefined,
  "brings nothing at all": () => undefined,
  "brings too few replies": async () => ["only one"],
  "brings too many replies": async () => ["OK", "OK", "OK", "OK"],
  "brings no list": async () => ({ length: 2 }),
};

const ways: Record<string, (transport: Transport) => Promise<unknown>[]> = {
  "a cache": (transport) => {
    const cache = new Cache({ transport });
    return [cache.set("a", 1), cache.get("b")];
  },
  "a guarded transport": (transport) => [guarded(transport).send([["GET", "a"], ["PING"]])],
  "a batched transport": (transport) => {
    const together = batched(transport);
    return [together.send([["GET", "a"]]), together.send([["GET", "b"]])];
  },
};

describe.each(Object.entries(ways))("%s on a transport of a third party", (_, calls) => {
  it.each(Object.entries(broken))("rejects each call when that %s", async (_, send) => {
    for (const outcome of await Promise.allSettled(calls(sending(send)))) {
      expect(outcome).toMatchObject({ status: "rejected" });
    }
  });

  it("rejects replies that do not fit the commands, and says what came and what to do", async () => {
    const [first] = await Promise.allSettled(calls(sending(async (): Promise<Reply[]> => ["secret"])));
    expect(first).toMatchObject({ status: "rejected", reason: { kind: "protocol", delivery: "unknown" } });
    const reason = first?.status === "rejected" ? first.reason : undefined;
    expect(isTransportError(reason) && reason.message).toContain(
      "Expected one reply for each command, 2 in all, got 1",
    );
    expect(String(reason)).not.toContain("secret");
  });

  it("takes replies that come without a promise", async () => {
    const outcomes = await Promise.allSettled(calls(sending(() => ["OK", null])));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "fulfilled" });
  });
});
