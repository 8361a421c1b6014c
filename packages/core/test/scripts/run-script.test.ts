import { CommandError } from "@continuum-cache/core";
import { defineScript, runScript, scriptByLua } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";
import { recordingTransport } from "../recording-transport.ts";

const script = defineScript({ name: "probe", keys: 1, lua: "return 1", memory: () => 1 });

describe("a script", () => {
  it("is sent by its hash, and by its text after NOSCRIPT", async () => {
    const transport = recordingTransport((command) =>
      command[0] === "EVALSHA" ? new CommandError("NOSCRIPT No matching script.") : 1,
    );
    expect(await runScript(transport, script, ["a"], ["x"])).toBe(1);
    expect(transport.trips).toEqual([[["EVALSHA", script.sha1, 1, "a", "x"]], [["EVAL", "return 1", 1, "a", "x"]]]);
  });

  it("is not repeated on any other error, which would count twice", async () => {
    const transport = recordingTransport(() => new CommandError("ERR Error running script"));
    await expect(runScript(transport, script, ["a"], [])).rejects.toMatchObject({ code: "ERR" });
    expect(transport.trips).toHaveLength(1);
  });

  it("refuses a wrong number of keys before anything is sent", async () => {
    const transport = recordingTransport(() => 1);
    await expect(runScript(transport, script, [], [])).rejects.toThrow(
      /Expected 1 key\(s\) for the script "probe", got 0/,
    );
    expect(transport.trips).toEqual([]);
  });

  it("is found by its text, for backends without Lua", () => {
    expect(scriptByLua("return 1")).toBe(script);
    expect(scriptByLua("return 2")).toBeUndefined();
  });
});
