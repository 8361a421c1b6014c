import { payloads } from "../payloads.ts";
import { checkValue } from "./check-value.ts";
import { inFlight } from "./measures.ts";
import type { Opened } from "./suite.ts";

/** A client that reads and writes values as it does by default. */
export interface KeyValue {
  get(key: string): unknown;
  set(key: string, value: unknown): unknown;
  close?(): unknown;
}

/** All set with an expiry: five minutes, the default of ours. */
export const ttlSeconds = 300;

const { session, "search list (50)": results } = payloads() as { session: object; "search list (50)": object[] };

/** About 1 KB of JSON. */
export const value: object = { ...session, results: results.slice(0, 2) };

const keyCount = 1_000;

/** Sets the keys, each client under names of its own, and checks that a value comes back as it was. */
async function storeKeys(name: string, client: KeyValue): Promise<(nth: number) => string> {
  const keys = Array.from({ length: keyCount }, (_, nth) => `${name.replace(/\W+/g, "-")}:${nth}`);
  await Promise.all(keys.map((key) => client.set(key, value)));
  const [first = ""] = keys;
  checkValue(name, value, await client.get(first));
  return (nth) => keys[nth % keyCount] as string;
}

export const keyValueScenarios = [
  "get, 1 in flight",
  "get, 64 in flight",
  "set, 1 in flight",
  "set, 64 in flight",
] as const;
export const burstScenario = "burst of 100 gets";

export async function openKeyValue(name: string, client: KeyValue): Promise<Opened> {
  const keyOf = await storeKeys(name, client);
  const get = (nth: number): unknown => client.get(keyOf(nth));
  const set = (nth: number): unknown => client.set(keyOf(nth), value);
  const burst = (nth: number): unknown =>
    Promise.all(Array.from({ length: 100 }, (_, index) => client.get(keyOf(nth * 100 + index))));
  return {
    measures: {
      "get, 1 in flight": inFlight(1, get),
      "get, 64 in flight": inFlight(64, get),
      "set, 1 in flight": inFlight(1, set),
      "set, 64 in flight": inFlight(64, set),
      [burstScenario]: inFlight(1, burst, { operations: 100 }),
    },
    close: () => client.close?.(),
  };
}
