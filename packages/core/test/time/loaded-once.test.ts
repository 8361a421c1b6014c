import { loadedOnce } from "@continuum-cache/core/kit";
import { afterEach, describe, expect, it, vi } from "vitest";

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("what is loaded once", () => {
  it("is loaded and made once for all that wait for it", async () => {
    const load = vi.fn(async () => ({ name: "part" }));
    const part = loadedOnce(load, ({ name }) => ({ name }));
    const [first, second] = await Promise.all([part(), part()]);
    expect(first).toEqual({ name: "part" });
    expect([second, await part()]).toEqual([first, first]);
    expect(second).toBe(first);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it("is loaded again after a failure, and not made before", async () => {
    const load = vi.fn(async () => "code");
    load.mockRejectedValueOnce(new Error("no such file"));
    const part = loadedOnce(load, (code) => code.toUpperCase());
    await expect(part()).rejects.toThrow("no such file");
    expect(await part()).toBe("CODE");
  });

  it("comes on the edge though the request that began to load it has vanished", async () => {
    vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
    const load = vi.fn(async () => "code");
    load.mockReturnValueOnce(new Promise(() => {}));
    const make = vi.fn((code: string) => ({ code }));
    const part = loadedOnce(load, make);
    void part();
    const [second, third] = await Promise.all([part(), part()]);
    expect(second).toBe(third);
    expect(await part()).toBe(second);
    expect(make).toHaveBeenCalledTimes(1);
  });
});
