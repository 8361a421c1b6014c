import { unwrap } from "../errors/command-error.ts";
import { quoted } from "../errors/quoted.ts";
import { TransportError } from "../errors/transport-error.ts";
import { escapeGlob } from "../keys/glob-text.ts";
import { isInternalKey } from "../keys/internal-keys.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command, Reply, SendOptions } from "../ports/transport.ts";
import { assertOptions, type KnownOptions, wholeNumberOption } from "../settings/options.ts";
import { isWellFormed } from "../text/text.ts";
import { type CacheCallOptions, knownCallOptions } from "./call-options.ts";
import { raw } from "./calls.ts";
import type { Engine } from "./engine.ts";
import { placeholderHead } from "./entry-start.ts";

/** How to list keys. */
export interface KeysOptions extends CacheCallOptions {
  /** Ends after so many keys. @default all keys */
  readonly max?: number;
}

const known: KnownOptions<KeysOptions> = { ...knownCallOptions, max: true };

/** What a listing is made of. */
export interface KeyScan {
  readonly keyPrefix: string;
  /** Sends one step. */
  send(commands: readonly Command[], options: CacheCallOptions): Promise<Reply[]>;
  /** When the outage began that is going on. A cursor of one backend means nothing to another. */
  outageSinceMs(): number | undefined;
  /** Which of some keys the caller may see, without the prefix. */
  visible(keys: readonly string[], options: CacheCallOptions): Promise<readonly string[]>;
}

/**
 * The keys of a cache, but for those that a process is only loading: it reads how each value begins. Of a namespace
 * only those whose value is valid, for which it reads the values.
 */
export function keysOf(
  engine: Engine,
  askedBy: (options: CacheCallOptions) => SendOptions,
  glob: string,
  options: KeysOptions,
): AsyncGenerator<string, void> {
  const visible = async (keys: readonly string[], own: CacheCallOptions): Promise<readonly string[]> => {
    if (keys.length === 0) return keys;
    if (engine.namespaces.length > 0) {
      const found = await (await engine.tagging.load()).getMany(engine, keys, askedBy(own));
      return keys.filter((_, at) => found[at] !== undefined);
    }
    const heads = keys.map((key): Command => ["GETRANGE", engine.keyPrefix + key, 0, placeholderHead.length - 1]);
    const begins = await engine.calls.one(() => [raw("keys", heads), askedBy(own)]);
    return keys.filter((_, at) => begins[at] !== placeholderHead);
  };
  const scan = {
    keyPrefix: engine.keyPrefix,
    send: (commands: readonly Command[], own: CacheCallOptions) =>
      engine.calls.one(() => [raw("keys", commands), askedBy(own)]),
    outageSinceMs: () => engine.transport.status?.outage?.sinceMs,
    visible,
  };
  return scanKeys(scan, glob, options);
}

/** How many keys SCAN looks at per step. */
const scanCount = 1_000;

/**
 * The keys that match a glob, without the prefix, page by page: each SCAN is sent when the caller has taken the page
 * before it. Every key that is there from beginning to end comes once. It remembers the keys that it has seen.
 */
async function* scanKeys(scan: KeyScan, glob: string, options: KeysOptions = {}): AsyncGenerator<string, void> {
  assertKeysOptions(glob, options);
  const { max = Number.POSITIVE_INFINITY, ...asked } = options;
  const seen = new TextMap<true>();
  let count = 0;
  const full = escapeGlob(scan.keyPrefix) + glob;
  let step = { cursor: "0", outageMs: scan.outageSinceMs() };
  while (true) {
    const sentMs = scan.outageSinceMs();
    const cursor = sentMs === step.outageMs ? step.cursor : "0";
    const [page] = await scan.send([["SCAN", cursor, "MATCH", full, "COUNT", scanCount]], asked);
    const [next, found] = readPage(page);
    const isNew = (key: Reply): key is string => typeof key === "string" && !isInternalKey(key) && !seen.has(key);
    const fresh = [...new Set(found.filter(isNew))];
    for (const key of fresh) seen.set(key, true);
    const keys = fresh.map((key) => key.slice(scan.keyPrefix.length));
    for (const key of await scan.visible(keys, asked)) {
      yield key;
      if (++count >= max) return;
    }
    if (next === "0" && scan.outageSinceMs() === sentMs) return;
    step = { cursor: next, outageMs: sentMs };
  }
}

function assertKeysOptions(glob: unknown, options: KeysOptions): void {
  assertOptions("cache.keys", options, known);
  if (options.max !== undefined) wholeNumberOption("max", options.max);
  if (typeof glob !== "string" || glob === "" || !isWellFormed(glob)) {
    throw new TypeError(`Expected a pattern of keys such as "order:*", got ${quoted(glob)}`);
  }
}

function readPage(reply: Reply | undefined): [cursor: string, keys: readonly Reply[]] {
  const page = unwrap(reply);
  if (!Array.isArray(page) || !Array.isArray(page[1])) {
    throw new TransportError("protocol", "Expected SCAN to answer a cursor and keys", { transport: "cache" });
  }
  return [String(page[0]), page[1] as readonly Reply[]];
}
