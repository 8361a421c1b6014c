import type { Message, MessageListener, Subscription, Topics, Transport, TransportError } from "@continuum-cache/core";
import type { DoubtfulMessages } from "./doubtful-messages.ts";

type Listenable = Required<Pick<Transport, "subscribe">>;

/** What a subscription to both sides is made of. */
export interface BothSides {
  readonly primary: Listenable;
  readonly local: Listenable;
  readonly doubts: DoubtfulMessages;
}

/**
 * Listens to the primary, and to what is published here while commands can't reach it: the stream may well live on when
 * they fail. It is the primary's stream that decides: when that breaks, all of it is over.
 *
 * @throws what the primary's `subscribe` throws, and when its stream breaks before this resolves.
 */
export async function subscribeToBoth(
  { primary, local, doubts }: BothSides,
  ...[topics, listener, options]: Parameters<Listenable["subscribe"]>
): Promise<Subscription> {
  let phase: "opening" | "open" | "over" = "opening";
  let failure: TransportError | undefined;
  let parts: readonly Subscription[] = [];
  const hearer = doubts.addHearer();

  const end = async (): Promise<void> => {
    if (phase === "over") return;
    phase = "over";
    hearer.end();
    await Promise.all(parts.map((part) => part.close()));
  };
  const interrupted = (error: TransportError): void => {
    if (phase === "opening") failure ??= error;
    if (phase !== "open") return;
    // Whether the parts end well or not, nothing more is heard through them.
    end().catch(() => {});
    listener.interrupted(error);
  };
  const partListener = (hear: (message: Message) => void): MessageListener => ({
    message(message) {
      if (phase !== "over") hear(message);
    },
    interrupted,
  });

  try {
    const stream = await primary.subscribe(
      topics,
      partListener((message) => {
        if (hearer.heardOfPrimary(message)) listener.message(message);
      }),
      options,
    );
    parts = [stream];
    const here = await local.subscribe(
      topics,
      partListener((message) => {
        if (hearer.heardHere(message)) listener.message({ ...message, degraded: true });
      }),
    );
    parts = [stream, here];
    if (failure) throw failure;
    phase = "open";
    return { ...changesOf(stream, here), close: end };
  } catch (error) {
    await end().catch(() => {});
    throw error;
  }
}

/** Changes that both sides follow, where the primary's stream can. */
function changesOf(stream: Subscription, here: Subscription): Pick<Subscription, "add" | "remove"> {
  /** What waits for the primary; what is removed meanwhile is not to be added here afterwards. */
  const waiting = new Set<Record<"channels" | "patterns", Set<string>>>();
  if (!stream.add || !stream.remove) return {};
  const [add, remove] = [stream.add.bind(stream), stream.remove.bind(stream)];

  return {
    async add(more, options) {
      const own = { channels: new Set(more.channels), patterns: new Set(more.patterns) };
      waiting.add(own);
      try {
        await add(more, options);
      } finally {
        waiting.delete(own);
      }
      await here.add?.(namesOf(own));
    },
    async remove(less, options) {
      for (const own of waiting) {
        for (const channel of less.channels ?? []) own.channels.delete(channel);
        for (const pattern of less.patterns ?? []) own.patterns.delete(pattern);
      }
      await Promise.all([remove(less, options), here.remove?.(less)]);
    },
  };
}

const namesOf = ({ channels, patterns }: Record<"channels" | "patterns", ReadonlySet<string>>): Topics => ({
  channels: [...channels],
  patterns: [...patterns],
});
