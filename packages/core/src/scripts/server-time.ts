import type { Reply } from "../ports/transport.ts";

/**
 * The server's time in microseconds since 1970, from the reply to TIME.
 *
 * @example
 * ```ts
 * import { serverTimeUs } from "@continuum-cache/core/kit";
 *
 * serverTimeUs(["1700000000", "123456"]); // 1700000000123456
 * ```
 */
export function serverTimeUs(time: Reply): number {
  const [seconds, micros] = time as readonly [string, string];
  return Number(seconds) * 1_000_000 + Number(micros);
}

/**
 * The same in whole milliseconds.
 *
 * @example
 * ```ts
 * import { type Transport } from "@continuum-cache/core";
 * import { serverTimeMs, unwrap } from "@continuum-cache/core/kit";
 *
 * async function timeAt(transport: Transport): Promise<Date> {
 *   const [time] = await transport.send([["TIME"]]);
 *   return new Date(serverTimeMs(unwrap(time)));
 * }
 * ```
 */
export function serverTimeMs(time: Reply): number {
  const [seconds, micros] = time as readonly [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/**
 * The beginning of a Lua script that needs the server's time. It defines `serverMs()`, the counterpart of
 * `serverTimeMs`, and `whole(n)`, which writes a number without an exponent: Lua would write 1700000000123 as
 * 1.7000000001e+12.
 *
 * @example
 * ```ts
 * import { defineScript } from "@continuum-cache/core/kit";
 * import { serverTimeLua, serverTimeMs } from "@continuum-cache/core/kit";
 *
 * export const now = defineScript({
 *   name: "now",
 *   keys: 0,
 *   lua: `${serverTimeLua}
 * return whole(serverMs())`,
 *   memory: ({ call }) => String(serverTimeMs(call("TIME"))),
 * });
 * ```
 */
export const serverTimeLua: string = `
local function whole(n) return string.format("%.0f", n) end
local function serverMs()
  local t = redis.call("TIME")
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end`;
