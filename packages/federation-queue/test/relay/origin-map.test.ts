import { expect, it } from "vitest";
import { createOriginMap } from "../../src/relay/origin-map.ts";
import { readRelaySettings } from "../../src/relay/settings.ts";
import { closing } from "../queue/backends.ts";
import { regionsOf } from "./regions.ts";

const opened = closing();

it.each(["1795833587473-2", "18446744073709551614-7"])(
  "an entry %s that is added between a read and the check of the stream's end is read next",
  async (id) => {
    const { east, west, key } = await regionsOf("Redis protocol", opened);
    const settings = readRelaySettings({ transport: east.connect() }, { transport: west.connect() }, { key });
    const route = createOriginMap(settings, { lostData: () => {}, conflict: () => {} });
    for (const { redis } of [east, west]) await redis.command("XADD", `${key}:a`, "1795833587473-1", "e", "1");
    await east.redis.command("HSET", key, "a", "me 1795833587473 9999999999999 0-0");
    await route.refresh();
    await east.redis.command("XADD", `${key}:a`, id, "some", "thing");
    expect(await route.check()).toEqual([]);
    expect(route.cursors.map(({ last }) => last)).toEqual(["1795833587473-1"]);
  },
);
