import type { Cache } from "@continuum-cache/core";
import { type Effect, nowUs } from "./history.ts";

/** One thing to ask a cache for, as data. */
export type Operation = { readonly insists?: boolean } & (
  | Single
  | { readonly name: "setMany"; readonly entries: readonly (readonly [key: string, value: string])[] }
  | { readonly name: "getMany"; readonly keys: readonly string[] }
  | { readonly name: "deletePattern"; readonly glob: string }
  | { readonly name: "getOrSet"; readonly key: string; readonly value: string; readonly loaderMs: number }
  | { readonly name: "pipeline" | "transaction"; readonly parts: readonly Single[] }
);

/** What also goes into a pipeline. */
export type Single =
  | { readonly name: "set"; readonly key: string; readonly value: string }
  | { readonly name: "get"; readonly key: string }
  | { readonly name: "delete"; readonly keys: readonly string[] }
  | { readonly name: "increment"; readonly key: string; readonly by: number }
  | { readonly name: "rpush"; readonly key: string; readonly values: readonly string[] }
  | { readonly name: "lrange"; readonly key: string };

/** Long enough that nothing expires while a history runs. */
const ttl = "1h";

/**
 * Asks a cache, and resolves to what was done and read; rejects as the cache does. `loads` gets what loaders brought.
 */
export async function perform(cache: Cache, operation: Operation, loads: Effect[]): Promise<readonly Effect[]> {
  const options = operation.insists ? { fallback: false } : {};
  const view = operation.insists ? cache.with(options) : cache;
  switch (operation.name) {
    case "setMany":
      assertStored(await view.setMany(operation.entries, { ttl }));
      return intended(operation);
    case "getMany": {
      const values = await view.getMany(operation.keys);
      return operation.keys.map((key, at) => ({ kind: "read", key, value: textOf(values[at]) }));
    }
    case "deletePattern":
      await view.deletePattern(operation.glob);
      return intended(operation);
    case "getOrSet": {
      const { key } = operation;
      const value = await view.getOrSet(key, () => load(operation, loads), { ttl });
      return [...loads, { kind: "read", key, value: textOf(value) }];
    }
    case "pipeline":
    case "transaction": {
      // A batch grows in place, whatever the type of its results.
      const batch = operation.name === "pipeline" ? view.pipeline() : view.transaction();
      for (const part of operation.parts) addTo(batch, part);
      const results: readonly unknown[] = await batch.execute();
      return operation.parts.flatMap((part, at) => answered(part, results[at]));
    }
    default: {
      const batch = single(view, operation);
      return answered(operation, await batch);
    }
  }
}

/** What an operation may have changed when nothing is known of its outcome. */
export function intended(operation: Operation): readonly Effect[] {
  switch (operation.name) {
    case "set":
      return [{ kind: "write", key: operation.key, value: operation.value }];
    case "setMany":
      return operation.entries.map(([key, value]) => ({ kind: "write", key, value }));
    case "delete":
      return operation.keys.map((key) => ({ kind: "delete", key }));
    case "deletePattern":
      return [{ kind: "invalidate", glob: operation.glob }];
    case "increment":
      return [{ kind: "add", key: operation.key, by: operation.by }];
    case "rpush":
      return [{ kind: "push", key: operation.key, values: operation.values }];
    case "pipeline":
    case "transaction":
      return operation.parts.flatMap((part) => intended(part));
    default:
      return [];
  }
}

/** How many trips to the server an operation may need, one after the other, each with a deadline of its own. */
export function tripsOf(operation: Operation): number {
  return operation.name === "getOrSet" ? 2 : 1;
}

function single(cache: Cache, operation: Single): Promise<unknown> {
  switch (operation.name) {
    case "set":
      return cache.set(operation.key, operation.value, { ttl });
    case "get":
      return cache.get(operation.key);
    case "delete":
      return cache.delete(...operation.keys);
    case "increment":
      return cache.increment(operation.key, operation.by);
    case "rpush":
      return cache.rpush(operation.key, ...operation.values);
    case "lrange":
      return cache.lrange(operation.key, 0, -1);
  }
}

function addTo(batch: ReturnType<Cache["pipeline"]>, operation: Single): void {
  switch (operation.name) {
    case "set":
      batch.set(operation.key, operation.value, { ttl });
      break;
    case "get":
      batch.get(operation.key);
      break;
    case "delete":
      batch.delete(...operation.keys);
      break;
    case "increment":
      batch.increment(operation.key, operation.by);
      break;
    case "rpush":
      batch.rpush(operation.key, ...operation.values);
      break;
    case "lrange":
      batch.lrange(operation.key, 0, -1);
      break;
  }
}

function answered(operation: Single, result: unknown): readonly Effect[] {
  switch (operation.name) {
    case "set":
      assertStored(result);
      return intended(operation);
    case "get":
      return [{ kind: "read", key: operation.key, value: textOf(result) }];
    case "lrange":
      return [{ kind: "list", key: operation.key, values: (result as unknown[]).map(String) }];
    default:
      return intended(operation);
  }
}

async function load(operation: Operation & { name: "getOrSet" }, loads: Effect[]): Promise<string> {
  const startUs = nowUs();
  if (operation.loaderMs > 0) await new Promise((resolve) => setTimeout(resolve, operation.loaderMs));
  loads.push({ kind: "load", key: operation.key, value: operation.value, startUs, endUs: nowUs() });
  return operation.value;
}

const textOf = (value: unknown): string | null => (value === undefined ? null : String(value));

function assertStored(result: unknown): void {
  if (result !== true) throw new Error(`a set without a condition resolved to ${String(result)}`);
}
