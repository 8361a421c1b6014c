import {
  type BackendChange,
  type Command,
  isCommandError,
  type Reply,
  type SendOptions,
  type Transport,
  type TransportError,
} from "@continuum-cache/core";
import { callListener, isOutage, isWrite } from "@continuum-cache/core/kit";

/**
 * The fallback that most caches have, kept as a baseline: what the local transport accepts while the primary is away is
 * dropped when it is back. There is no journal and no fence, so deletes made in an outage come undone and writes are
 * lost. `checkHistory` has to object to its histories; a checker that does not is worth nothing.
 *
 * @param healthCheckMs - How long the primary is left alone after each failure.
 */
export function plainFallback(primary: Transport, local: Transport, healthCheckMs: number): Transport {
  const listeners = new Set<(change: BackendChange) => void>();
  let away = false;
  let pending = 0;
  let timer: NodeJS.Timeout | undefined;

  const announce = (change: BackendChange): void => {
    for (const listener of [...listeners]) callListener(() => listener(change));
  };
  const comeBack = (): void => {
    [away, pending] = [false, 0];
    // Later outages must not find what this one left behind; a closed transport answers nothing more anyway.
    local.send([["FLUSHDB"]]).catch(() => {});
    announce({ from: "local", to: "upstash", reason: "the primary answers again" });
  };
  const probeLater = (): void => {
    timer = setTimeout(() => {
      primary.send([["PING"]], { fallback: false }).then(comeBack, probeLater);
    }, healthCheckMs);
  };
  const leave = (error: TransportError): void => {
    if (away) return;
    away = true;
    probeLater();
    announce({ from: "upstash", to: "local", reason: error.kind });
  };
  const answerLocally = async (commands: readonly Command[], options?: SendOptions): Promise<Reply[]> => {
    const replies = await local.send(commands, options);
    if (away) pending += commands.filter((command, at) => isWrite(command) && !isCommandError(replies[at])).length;
    return replies;
  };

  return {
    name: `${primary.name}+plain-fallback`,
    async send(commands, options) {
      if (options?.fallback === false) return primary.send(commands, options);
      if (away) return answerLocally(commands, options);
      try {
        return await primary.send(commands, options);
      } catch (error) {
        if (!isOutage(error)) throw error;
        leave(error);
        return answerLocally(commands, options);
      }
    },
    status: {
      get currentBackend() {
        return away ? "local" : "upstash";
      },
      get pending() {
        return pending;
      },
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    async close() {
      clearTimeout(timer);
      await Promise.all([primary.close(), local.close()]);
    },
  };
}
