import { type Command, type Message, type MessageListener, type Transport, TransportError } from "../../src/index.ts";
import { type RoundTrip, registerDispatch } from "../../src/kit.ts";

/** One subscription that the code under test has opened. */
export interface OpenedStream {
  readonly via: "primary" | "whole";
  readonly topics: Set<string>;
  readonly isOpen: boolean;
  /** Messages that are on their way to it. */
  readonly inFlight: Message[];
  /** Hands over the oldest of them. */
  deliver(): void;
  break(): void;
}

/** A server with two ways to it, as a fallback has them: past the stand-in, and with it. */
export interface ScriptedServer {
  /** With the stand-in. */
  readonly transport: Transport;
  readonly primary: Transport;
  readonly streams: readonly OpenedStream[];
  readonly open: readonly OpenedStream[];
  /** How many nonces were published. */
  readonly heartbeats: number;
  /** Topics that this user may not listen to. */
  readonly forbidden: Set<string>;
  /** The server does not answer; then `whole` hears this process only. */
  isAway: boolean;
  publish(channel: string, data: string): void;
  /** A message of this process, while the server is away. */
  publishHere(channel: string, data: string): void;
  deliverAll(): void;
}

const away = (): TransportError => new TransportError("unreachable", "The server is away", { transport: "scripted" });

/** @param canGrow - Whether streams can listen to more topics later, as over TCP; not so over REST. */
export function scriptedServer(canGrow: boolean): ScriptedServer {
  const streams: OpenedStream[] = [];
  let heartbeats = 0;
  const transmit = (message: Message): void => {
    for (const stream of streams) {
      if (!stream.isOpen || !stream.topics.has(message.channel)) continue;
      if (message.degraded ? stream.via === "whole" : !server.isAway) stream.inFlight.push(message);
    }
  };
  const assertAllowed = (channels: readonly string[]): void => {
    if (channels.some((channel) => server.forbidden.has(channel))) {
      throw new TransportError("unauthorized", "NOPERM", { transport: "scripted" });
    }
  };
  const subscribe =
    (via: OpenedStream["via"]): NonNullable<Transport["subscribe"]> =>
    async ({ channels = [] }, listener: MessageListener) => {
      if (server.isAway && via === "primary") throw away();
      assertAllowed(channels);
      let isOpen = true;
      const stream: OpenedStream = {
        via,
        topics: new Set(channels),
        inFlight: [],
        get isOpen() {
          return isOpen;
        },
        deliver() {
          const message = stream.inFlight.shift();
          if (isOpen && message) listener.message(message);
        },
        break() {
          if (!isOpen) return;
          isOpen = false;
          listener.interrupted(away());
        },
      };
      streams.push(stream);
      return {
        ...(server.isAway && { degraded: true as const }),
        ...(canGrow && {
          async add({ channels: more = [] }) {
            if (!isOpen) throw away();
            assertAllowed(more);
            for (const channel of more) stream.topics.add(channel);
          },
          async remove({ channels: less = [] }) {
            for (const channel of less) stream.topics.delete(channel);
          },
        }),
        async close() {
          isOpen = false;
        },
      };
    };
  const send = async (commands: readonly Command[]) => {
    if (server.isAway) throw away();
    return commands.map(([, channel, data]) => {
      heartbeats++;
      server.publish(String(channel), String(data));
      return 0;
    });
  };
  const at = (via: OpenedStream["via"]): Transport =>
    registerDispatch(
      { name: via, send, subscribe: subscribe(via), close: async () => {} },
      (trip: RoundTrip, handler) => void send(trip.commands).then(handler.answered, handler.failed),
      via === "whole" ? { primary } : {},
    );
  const server: ScriptedServer = {
    get transport() {
      return whole;
    },
    get primary() {
      return primary;
    },
    streams,
    get open() {
      return streams.filter(({ isOpen }) => isOpen);
    },
    get heartbeats() {
      return heartbeats;
    },
    forbidden: new Set(),
    isAway: false,
    publish: (channel, data) => transmit({ channel, data }),
    publishHere: (channel, data) => transmit({ channel, data, degraded: true }),
    deliverAll() {
      for (const stream of streams) while (stream.inFlight.length > 0) stream.deliver();
    },
  };
  const primary = at("primary");
  const whole = at("whole");
  return server;
}
