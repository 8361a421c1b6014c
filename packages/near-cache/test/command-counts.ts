import type { Transport } from "@continuum-cache/core";

type Counts = Record<string, number>;

/** Counts the commands of all clients from now on, by name, without those that count and those that connect. */
export async function commandCounts(direct: Transport): Promise<() => Promise<Counts>> {
  const before = await totals(direct);
  return async () => {
    const now = await totals(direct);
    const differences = Object.entries(now).map(([name, calls]) => [name, calls - (before[name] ?? 0)] as const);
    return Object.fromEntries(differences.filter(([, calls]) => calls > 0));
  };
}

async function totals(direct: Transport): Promise<Counts> {
  const [text] = await direct.send([["INFO", "commandstats"]]);
  const all = [...String(text).matchAll(/cmdstat_([^:]+):calls=(\d+)/g)];
  const counted = all.filter(([, name = ""]) => !/^(?:config|info|hello|client|auth|ping|select)/.test(name));
  return Object.fromEntries(counted.map(([, name = "", calls]) => [name, Number(calls)]));
}
