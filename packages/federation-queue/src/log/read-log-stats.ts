import type { Command } from "@continuum-cache/core";
import type { PrimaryCallOptions } from "../shared/primary-client.ts";
import { timeMs, unwrap } from "../shared/replies.ts";
import type { LogParts } from "./log-parts.ts";
import { nobody, readRegistry } from "./registry.ts";
import { readStreamInfo } from "./stream-info.ts";
import type { LogStats, OriginStats } from "./types.ts";

/** Two trips: which origins there are, then each of their streams. @throws TransportError when no answer came. */
export async function readLogStats<Event>(
  { link, settings, cursors, appender, name }: LogParts<Event>,
  options: PrimaryCallOptions,
): Promise<LogStats> {
  const { keys, instanceId } = settings;
  const [time, registry, stored] = await link.send(
    [["TIME"], ["HGETALL", keys.registry], ["HGETALL", keys.cursors(instanceId)]],
    options,
  );
  const nowMs = timeMs(unwrap(time));
  const registered = [...readRegistry(unwrap(registry))];
  cursors.load(unwrap(stored));
  const infos = await link.send(
    registered.map(([origin]): Command => ["XINFO", "STREAM", keys.stream(origin)]),
    options,
  );
  const origins = registered.map(([origin, { holder, untilMs }], at): [string, OriginStats] => {
    const { length, last } = readStreamInfo(infos[at]);
    const seq = cursors.get(origin)?.seq ?? 0;
    return [
      origin,
      {
        length,
        lastSeq: last.seq,
        lastAtMs: last.atMs,
        behind: origin === instanceId ? 0 : Math.max(0, last.seq - seq),
        isHeld: holder !== nobody && untilMs > nowMs,
      },
    ];
  });
  return { pending: appender.pending, isHolder: name.isHeld, origins: Object.fromEntries(origins) };
}
