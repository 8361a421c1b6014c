import type { Message, MessageListener, Subscription, Topics, Transport, TransportError } from "@continuum-cache/core";
import type { UnconfirmedPublishes } from "./unconfirmed-publishes.ts";

type Listenable = Required<Pick<Transport, "subscribe">>;

/** The two sides that a merged subscription listens to. */
export interface MergedSources {
  readonly primary: Listenable;
  readonly local: Listenable;
  readonly unconfirmed: UnconfirmedPublishes;
}

/**
 * Listens to the primary, and to what this process publishes locally while commands fail: the primary's stream may
 * work when commands don't. The subscription lives as long as the primary's stream.
 *
 * @throws what the primary's `subscribe` throws, also when its stream breaks before this resolves.
 */
export async function mergedSubscription(
  { primary, local, unconfirmed }: MergedSources,
  ...[topics, listener, options]: Parameters<Listenable["subscribe"]>
): Promise<Subscription> {
  let phase: "opening" | "open" | "closed" = "opening";
  let failure: TransportError | undefined;
  let parts: readonly Subscription[] = [];
  const dedup = unconfirmed.addListener();

  const close = async (): Promise<void> => {
    if (phase === "closed") return;
    phase = "closed";
    dedup.close();
    await Promise.all(parts.map((part) => part.close()));
  };
  const interrupted = (error: TransportError): void => {
    if (phase === "opening") failure ??= error;
    if (phase !== "open") return;
    // Nothing more is heard through the parts, even if closing them fails.
    close().catch(() => {});
    listener.interrupted(error);
  };
  const partListener = (hear: (message: Message) => void): MessageListener => ({
    message(message) {
      if (phase !== "closed") hear(message);
    },
    interrupted,
  });

  try {
    const stream = await primary.subscribe(
      topics,
      partListener((message) => {
        if (dedup.acceptsFromPrimary(message)) listener.message(message);
      }),
      options,
    );
    parts = [stream];
    const here = await local.subscribe(
      topics,
      partListener((message) => {
        if (dedup.acceptsLocal(message)) listener.message({ ...message, degraded: true });
      }),
    );
    parts = [stream, here];
    if (failure) throw failure;
    phase = "open";
    return { ...topicChanges(stream, here), close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

/** `add` and `remove` for both sides, if the primary's stream has them. */
function topicChanges(stream: Subscription, here: Subscription): Pick<Subscription, "add" | "remove"> {
  /** Topics that wait for the primary. A topic that is removed meanwhile must not be added locally afterwards. */
  const waiting = new Set<Record<"channels" | "patterns", Set<string>>>();
  if (!stream.add || !stream.remove) return {};
  const [add, remove] = [stream.add.bind(stream), stream.remove.bind(stream)];

  return {
    async add(more, options) {
      const added = { channels: new Set(more.channels), patterns: new Set(more.patterns) };
      waiting.add(added);
      try {
        await add(more, options);
      } finally {
        waiting.delete(added);
      }
      await here.add?.(topicsOf(added));
    },
    async remove(less, options) {
      for (const added of waiting) {
        for (const channel of less.channels ?? []) added.channels.delete(channel);
        for (const pattern of less.patterns ?? []) added.patterns.delete(pattern);
      }
      await Promise.all([remove(less, options), here.remove?.(less)]);
    },
  };
}

const topicsOf = ({ channels, patterns }: Record<"channels" | "patterns", ReadonlySet<string>>): Topics => ({
  channels: [...channels],
  patterns: [...patterns],
});
