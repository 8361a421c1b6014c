import { type Reply, type SendOptions, type Transport, TransportError } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";

/** How long the two ways between one process and Redis take, for each request anew, in milliseconds. */
export interface Distance {
  requestMs(): number;
  replyMs(): number;
  /** By how much the first request takes longer, and the first after each broken connection. */
  connectMs(): number;
}

/** A Redis that many processes reach over slow networks. On fake timers: no time passes by itself. */
export interface SimulatedRedis {
  connect(distance: Distance): Transport;
  /** Requests wait in its sockets until it goes on: no connection breaks, and no answer comes. */
  freeze(): void;
  thaw(): void;
  /** Connections break, and new ones are refused. */
  kill(): void;
  /** It takes connections again, with its data. */
  restart(): void;
  /** The same, without its data. */
  restartEmpty(): Promise<void>;
}

export function createSimulatedRedis(): SimulatedRedis {
  const memory = memoryTransport();
  let isFrozen = false;
  let isDead = false;
  let waiting: (() => void)[] = [];
  const broken = new Set<() => void>();

  const arrive = (execute: () => void): void => {
    if (isFrozen) waiting.push(execute);
    else execute();
  };

  const connect = ({ requestMs, replyMs, connectMs }: Distance): Transport => {
    let isConnected = false;
    // Neither requests nor replies overtake each other on one connection.
    let requestsAtMs = 0;
    let repliesAtMs = 0;

    const send = (commands: Parameters<Transport["send"]>[0], { timeoutMs = 5_000 }: SendOptions = {}) =>
      new Promise<Reply[]>((resolve, reject) => {
        const fail = (kind: "timeout" | "unreachable"): void => {
          clearTimeout(timer);
          broken.delete(onBroken);
          reject(new TransportError(kind, `simulated: ${kind}`, { transport: "simulated" }));
        };
        const onBroken = (): void => {
          isConnected = false;
          fail("unreachable");
        };
        const timer = setTimeout(() => fail("timeout"), timeoutMs);
        if (isDead) return fail("unreachable");
        broken.add(onBroken);
        const nowMs = performance.now();
        requestsAtMs = Math.max(requestsAtMs, nowMs + (isConnected ? 0 : connectMs()) + requestMs());
        isConnected = true;
        const execute = async (): Promise<void> => {
          if (isDead) return;
          const replies = await memory.send(commands);
          repliesAtMs = Math.max(repliesAtMs, performance.now() + replyMs());
          setTimeout(() => {
            if (!broken.delete(onBroken)) return;
            clearTimeout(timer);
            resolve(replies);
          }, repliesAtMs - performance.now());
        };
        setTimeout(() => arrive(() => void execute()), requestsAtMs - nowMs);
      });
    return { name: "simulated", send, close: async () => {} };
  };

  return {
    connect,
    freeze() {
      isFrozen = true;
    },
    thaw() {
      isFrozen = false;
      const executes = waiting;
      waiting = [];
      for (const execute of executes) execute();
    },
    kill() {
      isDead = true;
      waiting = [];
      for (const end of [...broken]) end();
    },
    restart() {
      isDead = false;
    },
    async restartEmpty() {
      await memory.send([["FLUSHDB"]]);
      isDead = false;
    },
  };
}
