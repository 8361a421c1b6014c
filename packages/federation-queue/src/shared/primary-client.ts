import type { Argument, Command, Reply, SendOptions, Transport } from "@continuum-cache/core";
import {
  batched,
  callListener,
  defaultTimeoutMs,
  dispatchOf,
  isOutage,
  RoundTrip,
  runScript,
  type Script,
} from "@continuum-cache/core/kit";

/** Options of one round trip. */
export interface PrimaryCallOptions extends Pick<SendOptions, "signal" | "timeoutMs"> {
  /** Round trips of one tick are sent as one, and fail together. */
  readonly together?: boolean;
}

/** Sends to the primary only: without fallback, without retries of the transport, always with a timeout. */
export interface PrimaryClient extends Pick<Transport, "hasCheapTrips"> {
  readonly name: string;
  readonly timeoutMs: number;
  /** Resolves to the replies, with an error in the place of each refused command. */
  send(commands: readonly Command[], options?: PrimaryCallOptions): Promise<Reply[]>;
  /** @throws CommandError when Redis refuses it. */
  run(script: Script, keys: readonly string[], args: readonly Argument[], options?: PrimaryCallOptions): Promise<Reply>;
  /** Adds a listener for round trips without an answer: another server may answer from now on. */
  onOutage(listener: () => void): void;
}

const noOptions: PrimaryCallOptions = {};
/** For `isWanted`: a retry could not tell what the first attempt has done. */
const never = (): boolean => false;

export function createPrimaryClient(transport: Transport, timeoutMs: number = defaultTimeoutMs): PrimaryClient {
  const dispatch = dispatchOf(transport);
  const together = batched(transport);
  const listeners = new Set<() => void>();

  const reportOutage = (error: unknown): void => {
    if (isOutage(error)) for (const listener of listeners) callListener(listener);
  };
  const sendOptions = ({ together: _, ...options }: PrimaryCallOptions): SendOptions => ({
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
          reportOutage(error);
          reject(error);
        };
        // Nearly all round trips write; the others count as writes without keys.
        if (!options.together) {
          dispatch(new RoundTrip(commands, sendOptions(options), timeoutMs, true), { answered, failed });
        } else together.send(commands, sendOptions(options)).then(answered, failed);
      });
    },
    async run(script, keys, args, options = noOptions) {
      try {
        return await runScript(options.together ? together : transport, script, keys, args, sendOptions(options));
      } catch (error) {
        reportOutage(error);
        throw error;
      }
    },
    onOutage(listener) {
      listeners.add(listener);
    },
  };
}

/** The options of the round trips of one call: each gets the time that is left. */
export function timeLeft(
  client: PrimaryClient,
  { timeoutMs = client.timeoutMs, ...options }: PrimaryCallOptions,
): () => PrimaryCallOptions {
  const endMs = performance.now() + timeoutMs;
  return () => ({ ...options, timeoutMs: Math.max(1, Math.ceil(endMs - performance.now())) });
}
