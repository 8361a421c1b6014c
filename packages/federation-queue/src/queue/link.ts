import {
  type Argument,
  batched,
  type Command,
  defaultTimeoutMs,
  isCommandError,
  isOutage,
  type Reply,
  runScript,
  type Script,
  type SendOptions,
  type Transport,
  tell,
} from "@continuum-cache/core";

/** What a trip of a queue may ask for. */
export interface LinkOptions extends Pick<SendOptions, "signal" | "timeoutMs"> {
  /** Trips of one tick go together; then the failure of one is the failure of all. */
  readonly together?: boolean;
}

/** A queue's way to its server: never to a local stand-in, never repeated by others, with a deadline. */
export interface Link {
  readonly name: string;
  readonly timeoutMs: number;
  /** What Redis refused stands among the replies. */
  send(commands: readonly Command[], options?: LinkOptions): Promise<Reply[]>;
  /** @throws CommandError when Redis refuses it. */
  run(script: Script, keys: readonly string[], args: readonly Argument[], options?: LinkOptions): Promise<Reply>;
  /** Called after each trip that got no answer: the server may have changed since. */
  onTrouble(listener: () => void): void;
}

export function createLink(transport: Transport, timeoutMs: number = defaultTimeoutMs): Link {
  const together = batched(transport);
  const listeners = new Set<() => void>();

  const tellOutage = (error: unknown): void => {
    if (isOutage(error)) for (const listener of listeners) tell(listener);
  };
  const withDefaults = ({ together: _, ...options }: LinkOptions): SendOptions => ({
    timeoutMs,
    ...options,
    fallback: false,
    // A second answer can't tell what the first try has done.
    isWanted: () => false,
  });
  const way = (options: LinkOptions): Transport => (options.together ? together : transport);

  return {
    name: transport.name,
    timeoutMs,
    async send(commands, options = {}) {
      try {
        return await way(options).send(commands, withDefaults(options));
      } catch (error) {
        tellOutage(error);
        throw error;
      }
    },
    async run(script, keys, args, options = {}) {
      try {
        return await runScript(way(options), script, keys, args, withDefaults(options));
      } catch (error) {
        tellOutage(error);
        throw error;
      }
    },
    onTrouble(listener) {
      listeners.add(listener);
    },
  };
}

/** The options of trips that are one call together: each may take what is left of its time. */
export function timeLeft(link: Link, { timeoutMs = link.timeoutMs, ...options }: LinkOptions): () => LinkOptions {
  const endMs = performance.now() + timeoutMs;
  return () => ({ ...options, timeoutMs: Math.max(1, Math.ceil(endMs - performance.now())) });
}

/** A reply that must not be a refusal. @throws CommandError when it is one. */
export function accepted(reply: Reply | undefined): Reply {
  if (isCommandError(reply)) throw reply;
  return reply ?? null;
}
