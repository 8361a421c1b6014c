import type { Command } from "@continuum-cache/core";
import { serverTimeMs, unwrap } from "@continuum-cache/core/kit";
import { isHeldAt, readRegistry } from "../log/registry.ts";
import { readStreamInfo } from "../log/stream.ts";
import type { PrimaryCallOptions } from "../shared/primary-client.ts";
import type { RelaySettings } from "./settings.ts";
import type { RelayedOrigin } from "./types.ts";

/** Two round trips to each side. @throws TransportError when one does not reply. */
export async function readRelayStats(
  { from, to, keys }: RelaySettings,
  options: PrimaryCallOptions,
): Promise<Readonly<Record<string, RelayedOrigin>>> {
  const [source, destination] = await Promise.all([
    from.link.send([["HGETALL", keys.registry]], options),
    to.link.send([["HGETALL", keys.registry], ["TIME"]], options),
  ]);
  const here = readRegistry(unwrap(destination[0]));
  const nowMs = serverTimeMs(unwrap(destination[1]));
  const origins = [...readRegistry(unwrap(source[0])).keys()].filter((origin) => {
    const own = here.get(origin);
    return !own || !isHeldAt(own, nowMs);
  });
  const looks = origins.map((origin): Command => ["XINFO", "STREAM", keys.stream(origin)]);
  const [there, reached] = await Promise.all([from.link.send(looks, options), to.link.send(looks, options)]);
  return Object.fromEntries(
    origins.map((origin, at): [string, RelayedOrigin] => {
      const sourceSeq = readStreamInfo(there[at]).last.seq;
      const destinationSeq = readStreamInfo(reached[at]).last.seq;
      return [origin, { sourceSeq, destinationSeq, behind: Math.max(0, sourceSeq - destinationSeq) }];
    }),
  );
}
