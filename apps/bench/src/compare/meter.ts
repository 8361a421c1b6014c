import { connectMiniResp } from "./references/mini-resp.ts";
import type { Site, Slice, Suite } from "./suite.ts";

/** What Redis ran while something was measured. */
export type Metered = Pick<Slice, "commands" | "scriptUs">;

/** Counts on the server. Only the contender whose turn it is has work to do meanwhile. */
export interface Meter {
  start(): Promise<void>;
  stop(): Promise<Metered>;
  close(): void;
}

const noMeter: Meter = { start: async () => {}, stop: async () => ({}), close() {} };

/** By INFO commandstats, over a connection of its own. Without a server it counts nothing. */
export function openMeter({ redisUrl }: Site, servers: Suite["servers"]): Meter {
  if (servers === "none") return noMeter;
  const client = connectMiniResp(redisUrl);
  return {
    async start() {
      await client.command("CONFIG", "RESETSTAT");
    },
    async stop() {
      return read(String(await client.command("INFO", "commandstats")));
    },
    close: () => client.close(),
  };
}

/** Connecting and asking for statistics is not billed, or not the contender's. */
const isFree = (name: string): boolean =>
  /^(config\||info$|ping$|client\||hello$|auth$|select$|script\||quit$)/.test(name);
const isScript = (name: string): boolean => /^(eval|evalsha|fcall)(_ro)?$/.test(name);

function read(info: string): Metered {
  const total = { commands: 0, scriptUs: 0 };
  for (const [, name = "", calls, us] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)) {
    if (isFree(name)) continue;
    total.commands += Number(calls);
    if (isScript(name)) total.scriptUs += Number(us);
  }
  return total;
}
