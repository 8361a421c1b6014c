import type { Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { PubSub } from "@continuum-cache/pubsub";
import { type Address, connectTo } from "../../site/address.ts";
import type { Contender, Keeping, Listener, Listening, SubscriptionOptions } from "./contender.ts";

/** How ours is set up in a run, in milliseconds. */
export interface OurSettings {
  readonly hasFallback: boolean;
  readonly timeoutMs: number;
  readonly watchdogMs: number;
  readonly probeTimeoutMs: number;
  readonly maxReconnectWaitMs: number;
}

const ms = (time: number): `${number}ms` => `${time}ms`;

export function openOurs(address: Address, settings: OurSettings): Contender {
  const { hasFallback, timeoutMs, watchdogMs, probeTimeoutMs, maxReconnectWaitMs } = settings;
  const timeout = ms(timeoutMs);
  const primary = connectTo(address, timeoutMs);
  const transport: Transport = hasFallback
    ? withFallback(primary, memoryTransport(), { healthCheckInterval: "500ms" })
    : primary;
  const settingsOfAll = {
    timeout,
    watchdog: ms(watchdogMs),
    probeTimeout: ms(probeTimeoutMs),
    maxReconnectWait: ms(maxReconnectWaitMs),
  };
  const pubsub = new PubSub({ transport }, settingsOfAll);
  const loops = new Set<PubSub>();

  return {
    async publish(channel, data, replay) {
      const { position, degraded } = await pubsub.publish(channel, data, replay ? { replay: optionsOf(replay) } : {});
      return { ...(position && { position }), ...(degraded && { isDegraded: true }) };
    },
    listen(options, listener) {
      if (options.loopMs === undefined) return listenBy(pubsub, options, listener);
      // A loop has all subscriptions without a handler: each has a PubSub of its own, on the same connection.
      const loop = new PubSub({ transport }, { ...settingsOfAll, buffer: { maxMessages: 100 } });
      loops.add(loop);
      return listenInLoop(loop, options, listener);
    },
    async close() {
      await Promise.all([pubsub, ...loops].map((one) => one.close()));
      await transport.close();
    },
  };
}

const optionsOf = ({ count, ageMs }: Keeping) => ({ count, age: ms(ageMs) });

async function listenBy(
  pubsub: PubSub,
  { kind, name, replay, after }: SubscriptionOptions,
  listener?: Listener,
): Promise<Listening> {
  const handlers = listener ? { onMessage: listener.message, onGap: listener.gap } : {};
  if (kind === "pattern") return pubsub.psubscribe(name, handlers);
  return pubsub.subscribe(name, {
    ...handlers,
    ...(replay && { replay: optionsOf(replay) }),
    ...(after !== undefined && { after }),
  });
}

async function listenInLoop(pubsub: PubSub, options: SubscriptionOptions, listener: Listener): Promise<Listening> {
  const { loopMs = 0 } = options;
  pubsub.on("gap", (gap) => listener.gap(gap));
  const subscription = await listenBy(pubsub, options).catch(async (error: unknown) => {
    await pubsub.close();
    throw error;
  });
  const run = async (): Promise<void> => {
    for await (const message of pubsub.listen()) {
      listener.message(message);
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
