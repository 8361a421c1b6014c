import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { unlessHung, untilSeen } from "../../src/fleet/patience.ts";

describe("untilSeen", () => {
  it("waits as long as something changes, however long that takes", async () => {
    let left = 10;
    const seen = await untilSeen(
      async () => {
        await sleep(30);
        return left--;
      },
      (one) => one === 0,
      { everyMs: 1, withoutProgressMs: 100 },
    );
    expect(seen).toBe(0);
  });

  it("returns what it has seen last when nothing changes any more", async () => {
    expect(
      await untilSeen(
        () => 3,
        (one) => one === 0,
        { everyMs: 1, withoutProgressMs: 50 },
      ),
    ).toBe(3);
  });
});

describe("unlessHung", () => {
  it("rejects with the name of what hangs", async () => {
    await expect(unlessHung("The drain", new Promise(() => {}), 20)).rejects.toThrow(
      "The drain did not end within 20 ms",
    );
    await expect(unlessHung("The drain", Promise.resolve(1), 20)).resolves.toBe(1);
  });
});
