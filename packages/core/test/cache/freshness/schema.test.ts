import { Cache, type StandardSchema } from "@continuum-cache/core";
import { describe, expect, it, vi } from "vitest";
import { expiringStore } from "../../expiring-store.ts";

interface User {
  readonly name: string;
}

/** Async, as a schema may be. It also trims, as a schema may change what it reads. */
const userSchema: StandardSchema<unknown, User> = {
  "~standard": {
    version: 1,
    vendor: "test",
    async validate(value) {
      const { name } = value as { name?: unknown };
      if (typeof name !== "string") return { issues: [{ message: `not ${String(name)}`, path: ["name"] }] };
      return { value: { name: name.trim() } };
    },
  },
};

describe("a schema", () => {
  const setUp = (stored?: string) => {
    const { transport, held } = expiringStore();
    if (stored !== undefined) held.set("k", { value: stored, endsMs: Number.POSITIVE_INFINITY });
    const cache = new Cache({ transport });
    const errors = vi.fn();
    cache.on("error", errors);
    return { cache, errors, held };
  };

  it("turns a stored value that no longer fits into a miss, with one event that does not hold the value", async () => {
    const { cache, errors } = setUp('{"name":4242}');
    const loader = vi.fn(() => ({ name: " Ada " }));
    const calls = [1, 2].map(() => cache.getOrSet("k", loader, { schema: userSchema }));
    const [one, two] = await Promise.all(calls);
    expect([one, two]).toEqual([{ name: "Ada" }, { name: "Ada" }]);
    expect(one).not.toBe(two);
    expect(loader).toHaveBeenCalledTimes(1);
    expect(errors).toHaveBeenCalledTimes(1);
    const { operation, key, error } = errors.mock.calls[0]?.[0] ?? {};
    expect({ operation, key }).toEqual({ operation: "getOrSet", key: "k" });
    expect(error.message).toBe('The stored value does not fit its test schema at "name"');
    expect(await cache.getOrSet("k", loader, { schema: userSchema })).toEqual({ name: "Ada" });
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it("fails a load whose value does not fit, for every caller, and nothing is stored", async () => {
    const { cache, held } = setUp();
    const wrong = vi.fn(() => ({ name: 7 }) as unknown as User);
    const calls = [1, 2].map(() => cache.getOrSet("k", wrong, { schema: userSchema }));
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { name: "CodecError" } });
    }
    expect(wrong).toHaveBeenCalledTimes(1);
    expect(held.size).toBe(0);
  });

  it("that throws finds that the value does not fit", async () => {
    const { cache, errors } = setUp('{"name":"Ada"}');
    const validate = vi.fn().mockImplementationOnce(() => {
      throw new Error("broken");
    });
    validate.mockImplementation((value: unknown) => ({ value }));
    const schema = { "~standard": { version: 1, vendor: "test", validate } } as unknown as StandardSchema<
      unknown,
      User
    >;
    expect(await cache.getOrSet("k", () => ({ name: "Eve" }), { schema })).toEqual({ name: "Eve" });
    expect(errors.mock.calls[0]?.[0].error.message).toMatch(/threw while it checked/);
  });
});
