import { describe, expect, it } from "vitest";
import { measureSizes } from "../src/sizes.ts";

describe("sizes in Redis", () => {
  it("are the same bytes over TCP and over REST, and what the README says", async () => {
    const rows = await measureSizes();
    for (const row of rows) {
      for (const size of Object.values(row.bytes)) expect(size?.rest).toBe(size?.tcp);
    }
    const share = (payload: string, codec: string) => {
      const row = rows.find((each) => each.payload === payload);
      return (row?.bytes[codec]?.tcp ?? Number.NaN) / (row?.jsonBytes ?? Number.NaN);
    };
    expect(share("session", "json")).toBe(1);
    expect(share("the same, Float32Array", "msgpack")).toBeLessThan(0.4);
    expect(rows.find((row) => row.payload === "the same, Float32Array")?.bytes["json"]).toBeUndefined();
    expect(share("search list (50)", "compressed(json)")).toBeLessThan(0.5);
  });
});
