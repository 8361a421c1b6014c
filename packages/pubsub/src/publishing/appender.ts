import { CommandError, type Reply, type SendOptions, type Transport } from "@continuum-cache/core";
import { createTickBatch, hasLastingTimers, runScript } from "@continuum-cache/core/kit";
import { historyKey } from "../history/entry.ts";
import type { ReplaySettings } from "../settings.ts";
import type { Published } from "../types.ts";
import { appendScript } from "./append-script.ts";
import { createEpochs } from "./epochs.ts";

/** A message, and the tag that identifies it. */
export interface Tagged {
  readonly channel: string;
  readonly text: string;
  readonly tag: string;
}

/** Puts messages into the histories of their channels and publishes them. */
export interface Appender {
  /**
   * Messages of one tick with the same channel and options are one script call.
   *
   * @throws TransportError when no answer came. CommandError when Redis refuses it.
   */
  append(message: Tagged, replay: ReplaySettings, options: SendOptions): Promise<Published>;
  /** Sends the messages that wait for the end of the tick. Called before a message that must not overtake them. */
  depart(): void;
}

interface Appending {
  readonly message: Tagged;
  readonly replay: ReplaySettings;
  readonly options: SendOptions;
  resolve(published: Published): void;
  reject(error: unknown): void;
}

/** The most messages and characters of one script call, which must not block the server. */
const mostTogether = 100;
const mostLength = 64 << 10;

export function createAppender(primary: Transport): Appender {
  const epochs = createEpochs();
  const mayVanish = !hasLastingTimers();

  /** @param some - At least one message, all of the same channel. */
  const appendAll = async (
    some: readonly Pick<Appending, "message">[],
    channel: string,
    { count, ageMs, keyTtlMs }: ReplaySettings,
    options: SendOptions,
  ): Promise<readonly (Published | CommandError)[]> => {
    const known = epochs.of(channel);
    const upkeep = known.takeUpkeep(ageMs / 8) ? 1 : 0;
    const { epoch, serverMs, lastSeq } = known;
    const args = [channel, epoch, count, upkeep, ageMs, keyTtlMs, serverMs, lastSeq];
    for (const { message } of some) args.push(message.tag, message.text);
    const reply = await runScript(primary, appendScript, [historyKey(channel)], args, options);
    const [askedMs, ...answers] = reply as readonly [number, ...Reply[]];
    let refused: CommandError | undefined;
    return some.map(({ message: { tag } }, at) => {
      const id = String(answers[2 * at]);
      // The messages behind it were not stored either.
      if (id.startsWith("-")) refused = new CommandError(id.slice(1));
      if (refused) return refused;
      const [newEpoch, seq] = id.split("-").map(Number) as [number, number];
      known.learn({ epoch: newEpoch, seq }, askedMs);
      return { receivers: Number(answers[2 * at + 1]), position: { epoch: newEpoch, seq, tag } };
    });
  };

  /** Settles each message on its own. Never rejects. */
  const sendTogether = async (some: readonly Appending[]): Promise<void> => {
    const { message, replay, options } = some[0] as Appending;
    try {
      const outcomes = await appendAll(some, message.channel, replay, options);
      for (const [at, { resolve, reject }] of some.entries()) {
        const outcome = outcomes[at];
        if (outcome instanceof Error) reject(outcome);
        else if (outcome) resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  };

  const tick = createTickBatch<Appending>(
    { items: mostTogether, size: mostLength, sizeOf: ({ message }) => message.text.length, isAlike },
    (some) => void sendTogether(some),
  );

  return {
    append: (message, replay, options) =>
      new Promise((resolve, reject) => {
        const appending: Appending = { message, replay, options, resolve, reject };
        // A call that can vanish or be aborted does not send for others. It leaves after those that were published
        // before.
        if (mayVanish || options.signal) {
          tick.flush();
          void sendTogether([appending]);
        } else tick.add(appending);
      }),
    depart: tick.flush,
  };
}

const isAlike = (one: Appending, other: Appending): boolean =>
  one.message.channel === other.message.channel &&
  one.options.timeoutMs === other.options.timeoutMs &&
  one.replay.count === other.replay.count &&
  one.replay.ageMs === other.replay.ageMs;
