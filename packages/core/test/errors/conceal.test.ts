import { format, inspect } from "node:util";
import { conceal } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

const secret = "canary-2f71";
const make = () =>
  conceal(
    {
      name: "thing",
      token: secret,
      get client() {
        return { password: secret };
      },
    },
    "token",
    "client",
  );

describe("conceal", () => {
  it("takes properties out of what prints, walks, copies and serializes, however it is asked", () => {
    const thing = make();
    const printed = [
      inspect(thing),
      inspect({ deep: [thing] }, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true }),
      inspect(thing, { depth: Number.POSITIVE_INFINITY, showHidden: true, customInspect: false }),
      format("%o %O %j", thing, thing, thing),
      JSON.stringify(thing),
      JSON.stringify({ ...thing }),
      Object.values(thing).join(),
    ].join("\n");
    expect(printed).not.toContain(secret);
    expect(inspect(thing)).toBe("{ name: 'thing' }");
  });

  it("leaves them readable by name", () => {
    expect(make().token).toBe(secret);
    expect(make().client.password).toBe(secret);
  });
});
