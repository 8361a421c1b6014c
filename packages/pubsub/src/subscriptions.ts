import { NameMap, type TopicKind } from "@continuum-cache/core/kit";
import type { SourceRequest } from "./sources/channel-sources.ts";
import type { SourceSubscription } from "./sources/subscriber.ts";
import type { ChannelSubscription } from "./types.ts";

/** The open subscriptions of a PubSub. */
export interface Subscriptions {
  /** @param requests - At least one, all of the same kind. */
  add(requests: readonly SourceRequest[], joined: readonly SourceSubscription[]): ChannelSubscription;
  /** Closes the subscriptions that name any of these channels or patterns, or all of the kind when it names none. */
  close(kind: TopicKind, names: readonly string[]): Promise<void>;
}

type Named = NameMap<Set<ChannelSubscription>>;

export function createSubscriptions(): Subscriptions {
  const open = new Set<ChannelSubscription>();
  /** The same by each name, so that closing one does not look at the others. */
  const byName: Record<TopicKind, Named> = { channel: new NameMap(), pattern: new NameMap() };

  return {
    add(requests, joined) {
      const names = requests.map(({ name }) => name);
      const named = byName[requests[0]?.kind ?? "channel"];
      const [only] = joined.length === 1 ? joined : [];
      const own: ChannelSubscription = {
        names,
        get position() {
          return only?.position;
        },
        close: async () => {
          if (!open.delete(own)) return;
          for (const name of names) {
            const others = named.get(name);
            if (others?.delete(own) && others.size === 0) named.delete(name);
          }
          for (const subscription of joined) subscription.leave();
        },
      };
      open.add(own);
      for (const name of names) named.set(name, (named.get(name) ?? new Set()).add(own));
      return own;
    },
    async close(kind, names) {
      const named = byName[kind];
      const meant = names.length === 0 ? [...named.values()] : names.map((name) => named.get(name) ?? []);
      await Promise.all(meant.flatMap((some) => [...some]).map((own) => own.close()));
    },
  };
}
