import { ConfigError } from "@continuum-cache/core";
import {
  answerSyncOf,
  decorateDispatch,
  dispatchOf,
  loadedOnce,
  type NearCache,
  type NearCacheHost,
  type NearStore,
  serverOf,
} from "@continuum-cache/core/kit";
import type { NearCacheOptions } from "@continuum-cache/near-cache";

/** Reads the option `near`: a near cache, or the options of one whose code is loaded at the first use. */
export function nearOption(near: boolean | NearCacheOptions | NearCache | undefined): NearCache | undefined {
  if (!near) return undefined;
  if (near === true) return lateNearCache({});
  if (typeof near === "object") return "attach" in near ? near : lateNearCache(near);
  throw new ConfigError("near", `Expected \`near\` to be true, options or nearCache(), got ${JSON.stringify(near)}`);
}

const lateNearCache = (options: NearCacheOptions): NearCache => ({
  attach: (host) => (answerSyncOf(host.transport) ? undefined : lateStore(host, options)),
});

/**
 * A store whose code is loaded with the first trip of its cache. Until then nothing is held, and trips wait, since what
 * they write has to be announced.
 */
function lateStore(host: NearCacheHost, options: NearCacheOptions): NearStore {
  const server = serverOf(host.transport);
  let made: NearStore | undefined;
  let isClosed = false;
  const load = loadedOnce(
    () => import("@continuum-cache/near-cache"),
    ({ nearCache }) => {
      made = nearCache(options).attach(host);
      if (isClosed) made?.close();
    },
  );
  decorateDispatch(server, (inner) => (trip, handler) => {
    if (made || !trip.options.announce) {
      inner(trip, handler);
      return;
    }
    load().then(
      // The near cache stands in front of this by now.
      () => dispatchOf(server)(trip, handler),
      (error) => handler.failed(error),
    );
  });
  return {
    get: (key) => made?.get(key),
    peek: (key) => made?.peek(key),
    read: (key, asked) => (made ? made.read(key, asked) : host.read(key, asked)),
    prove: (key, asked) => made?.prove(key, asked),
    begin: (key) => made?.begin(key),
    written: (commands) => made?.written(commands),
    writtenWhere: (glob) => made?.writtenWhere(glob),
    stats: () => made?.stats(),
    close() {
      isClosed = true;
      made?.close();
    },
  };
}
