import {
  createProgram,
  createWarmer,
  createWatch,
  type Knowledge,
  loadKnowledge,
  partsOfSpeech,
  placeOf,
  type Warmer,
} from "@continuum-cache/program";
import { type Environment, isTransportError } from "continuum-cache";
import { type OpenedBackend, openBackend } from "./backend.ts";
import { installedWordNet } from "./installed-wordnet.ts";
import { type Address, listen } from "./listen.ts";
import { createLive, type Live } from "./live.ts";

/** The running demo. */
export interface Service {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Where the cache keeps its values now, in words for people. */
  readonly place: string;
  /** Stops listening, then releases everything. Safe to call twice. */
  close(): Promise<void>;
}

/** How to start the demo. */
export interface ServiceOptions {
  readonly address: Address;
  /** How many such processes share the Redis server. */
  readonly processes: number;
  readonly env: Environment;
  /** Gets the progress, a line at a time. */
  readonly log: (line: string) => void;
}

/** @throws ConfigError when the environment contradicts itself. */
export async function startService({ address, processes, env, log }: ServiceOptions): Promise<Service> {
  const backend = await openBackend(env, address.host);
  let live: Live | undefined;
  let warmer: Warmer | undefined;
  let sampling: NodeJS.Timeout | undefined;
  const closeAll = async (): Promise<void> => {
    clearInterval(sampling);
    await warmer?.close();
    await live?.close();
    await backend.close();
  };
  try {
    // Before WordNet loads: that keeps this process busy, and the latency of the cache would count it.
    await tellWhenAway(backend, log);
    const knowledge = await loadWithProgress(log);
    live = createLive(backend.cache, console.error);
    const { announcer } = live;
    warmer = createWarmer({ cache: backend.cache, knowledge, announcer, logError: console.error });
    const watch = createWatch(backend.cache);
    sampling = setInterval(watch.sample, 1_000).unref();
    const { cache, server: named, primary } = backend;
    const parts = { cache, knowledge, server: named, announcer, warmer, watch, processes };
    const program = createProgram({ ...parts, ...(primary && { primary }) });
    const server = await listen((request, facts) => program.fetch(request, facts), address, live);
    let closing: Promise<void> | undefined;
    return {
      url: server.url,
      port: server.port,
      get place() {
        return placeOf(backend.cache.currentBackend, backend.serverAddress);
      },
      close() {
        closing ??= server.close().then(closeAll);
        return closing;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function loadWithProgress(log: (line: string) => void): Promise<Knowledge> {
  const startedAt = performance.now();
  log("Loading WordNet 3.1");
  const knowledge = await loadKnowledge(await installedWordNet(), ({ part, conceptCount }) => {
    const plural = partsOfSpeech.find(({ letter }) => letter === part)?.plural ?? part;
    log(`  ${plural.padEnd(12)}${grouped(conceptCount).padStart(7)}`);
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const counts = `${grouped(knowledge.conceptCount)} concepts, ${grouped(knowledge.termCount)} words`;
  log(`${counts}, indexed in ${seconds} s`);
  return knowledge;
}

/**
 * Logs when the server does not answer at the start: its address may be wrong. The service starts nevertheless, since
 * the server may come later.
 */
async function tellWhenAway(
  { cache, serverAddress = "the cache" }: OpenedBackend,
  log: (line: string) => void,
): Promise<void> {
  try {
    await cache.ping({ fallback: false });
  } catch (error) {
    if (!isTransportError(error)) throw error;
    log(`Warning: ${serverAddress} gives no answer yet. ${error.message}`);
    // The first visitor need not wait for the same failure then; without a fallback this call fails again.
    await cache.ping();
  }
}

const grouped = (count: number): string => count.toLocaleString("en-US");
