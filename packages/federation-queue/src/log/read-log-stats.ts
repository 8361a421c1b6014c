import type { Command } from "@continuum-cache/core";
import { serverTimeMs, unwrap } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions } from "../shared/primary-client.ts";
import type { LogParts } from "./log-parts.ts";
import { isHeldAt, readRegistry } from "./registry.ts";
import { readStreamInfo } from "./stream.ts";
import type { LogStats, OriginStats } from "./types.ts";

/** Two round trips: which origins there are, then each of their streams. @throws TransportError when no reply came. */
export async function readLogStats<Event>(
  { link, settings, cursors, appender, lease }: LogParts<Event>,
  options: PrimaryCallOptions,
): Promise<LogStats> {
  const { keys, instanceId } = settings;
  const [time, registry, stored] = await link.send(
    [["TIME"], ["HGETALL", keys.registry], ["HGETALL", keys.cursors(instanceId)]],
    options,
  );
  const nowMs = serverTimeMs(unwrap(time));
  const rows = [...readRegistry(unwrap(registry))];
  cursors.load(unwrap(stored));
  const infos = await link.send(
    rows.map(([origin]): Command => ["XINFO", "STREAM", keys.stream(origin)]),
    options,
  );
  const origins = rows.map(([origin, registered], at): [string, OriginStats] => {
    const { length, last } = readStreamInfo(infos[at]);
    const seq = cursors.get(origin)?.seq ?? 0;
    return [
      origin,
      {
        length,
        lastSeq: last.seq,
        lastAtMs: last.atMs,
        behind: origin === instanceId ? 0 : Math.max(0, last.seq - seq),
        isHeld: isHeldAt(registered, nowMs),
      },
    ];
  });
  return { pending: appender.pending, isHolder: lease.isHeld, origins: Object.fromEntries(origins) };
}
