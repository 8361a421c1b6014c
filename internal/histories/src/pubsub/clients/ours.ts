import type { Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { PubSub } from "@continuum-cache/pubsub";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import type { Address, Contender, Ear, Keeping, Listening, Wish } from "./contender.ts";

/** How ours is set up in a run, in milliseconds. */
export interface OurSettings {
  readonly hasFallback: boolean;
  readonly timeoutMs: number;
  readonly watchdogMs: number;
  readonly probeTimeoutMs: number;
  readonly maxReconnectWaitMs: number;
}

const ms = (time: number): `${number}ms` => `${time}ms`;

export function openOurs({ url, rest }: Address, settings: OurSettings): Contender {
  const { hasFallback, timeoutMs, watchdogMs, probeTimeoutMs, maxReconnectWaitMs } = settings;
  const timeout = ms(timeoutMs);
  const primary = rest ? restTransport({ ...rest, timeout }) : tcpTransport({ url, timeout });
  const transport: Transport = hasFallback
    ? withFallback(primary, memoryTransport(), { healthCheckInterval: "500ms" })
    : primary;
  const options = {
    timeout,
    watchdog: ms(watchdogMs),
    probeTimeout: ms(probeTimeoutMs),
    maxReconnectWait: ms(maxReconnectWaitMs),
  };
  const pubsub = new PubSub({ transport }, options);
  const loops = new Set<PubSub>();

  return {
    async publish(channel, data, replay) {
      const { position, degraded } = await pubsub.publish(channel, data, replay ? { replay: optionsOf(replay) } : {});
      return { ...(position && { position }), ...(degraded && { isDegraded: true }) };
    },
    listen(wish, ear) {
      if (wish.loopMs === undefined) return listenBy(pubsub, wish, ear);
      // A loop has all subscriptions without a handler: each has a PubSub of its own, on the same connection.
      const loop = new PubSub({ transport }, { ...options, buffer: { maxMessages: 100 } });
      loops.add(loop);
      return listenInLoop(loop, wish, ear);
    },
    async close() {
      await Promise.all([pubsub, ...loops].map((one) => one.close()));
      await transport.close();
    },
  };
}

const optionsOf = ({ count, ageMs }: Keeping) => ({ count, age: ms(ageMs) });

async function listenBy(pubsub: PubSub, { kind, name, replay, after }: Wish, ear?: Ear): Promise<Listening> {
  const handlers = ear ? { onMessage: ear.message, onGap: ear.gap } : {};
  if (kind === "pattern") return pubsub.psubscribe(name, handlers);
  return pubsub.subscribe(name, {
    ...handlers,
    ...(replay && { replay: optionsOf(replay) }),
    ...(after !== undefined && { after }),
  });
}

async function listenInLoop(pubsub: PubSub, wish: Wish, ear: Ear): Promise<Listening> {
  const { loopMs = 0 } = wish;
  pubsub.on("gap", (gap) => ear.gap(gap));
  const subscription = await listenBy(pubsub, wish).catch(async (error: unknown) => {
    await pubsub.close();
    throw error;
  });
  const run = async (): Promise<void> => {
    for await (const message of pubsub.listen()) {
      ear.message(message);
      if (loopMs > 0) await new Promise((resolve) => setTimeout(resolve, loopMs));
    }
  };
  const running = run();
  return {
    async close() {
      await subscription.close();
      await pubsub.close();
      await running;
    },
  };
}
