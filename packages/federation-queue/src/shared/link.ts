import {
  type Argument,
  type Command,
  isCommandError,
  type Reply,
  runScript,
  type Script,
  type SendOptions,
  type Transport,
} from "@continuum-cache/core";
import { batched, callListener, defaultTimeoutMs, dispatchOf, isOutage, RoundTrip } from "@continuum-cache/core/kit";

/** What a trip of a queue may ask for. */
export interface LinkOptions extends Pick<SendOptions, "signal" | "timeoutMs"> {
  /** Trips of one tick go together; then the failure of one is the failure of all. */
  readonly together?: boolean;
}

/** A queue's way to its server: never to a local stand-in, never repeated by others, with a deadline. */
export interface Link extends Pick<Transport, "hasCheapTrips"> {
  readonly name: string;
  readonly timeoutMs: number;
  /** What Redis refused stands among the replies. */
  send(commands: readonly Command[], options?: LinkOptions): Promise<Reply[]>;
  /** @throws CommandError when Redis refuses it. */
  run(script: Script, keys: readonly string[], args: readonly Argument[], options?: LinkOptions): Promise<Reply>;
  /** Called after each trip that got no answer: the server may have changed since. */
  onTrouble(listener: () => void): void;
}

const noOptions: LinkOptions = {};
/** A second answer can't tell what the first try has done. */
const never = (): boolean => false;

export function createLink(transport: Transport, timeoutMs: number = defaultTimeoutMs): Link {
  const dispatch = dispatchOf(transport);
  const together = batched(transport);
  const listeners = new Set<() => void>();

  const tellOutage = (error: unknown): void => {
    if (isOutage(error)) for (const listener of listeners) callListener(listener);
  };
  const sendOptions = ({ together: _, ...options }: LinkOptions): SendOptions => ({
    timeoutMs,
    ...options,
    fallback: false,
    isWanted: never,
  });

  return {
    name: transport.name,
    timeoutMs,
    ...(transport.hasCheapTrips && { hasCheapTrips: true }),
    send(commands, options = noOptions) {
      return new Promise((answered, reject) => {
        const failed = (error: unknown): void => {
          tellOutage(error);
          reject(error);
        };
        // Nearly all of what a queue sends writes; where it does not, it is taken for a write of no keys.
        if (!options.together) {
          dispatch(new RoundTrip(commands, sendOptions(options), timeoutMs, true), { answered, failed });
        } else together.send(commands, sendOptions(options)).then(answered, failed);
      });
    },
    async run(script, keys, args, options = noOptions) {
      try {
        return await runScript(options.together ? together : transport, script, keys, args, sendOptions(options));
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
