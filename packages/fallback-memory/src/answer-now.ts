import type { Command, Reply, SendOptions, Transport } from "@continuum-cache/core";

/**
 * What `send` does, at once: the replies are there when it returns, and no promise is made. It runs the commands as a whole, in the
 * order of the calls, with `send` of the same transport among them.
 *
 * It differs from `send` in three things. It throws what `send` rejects with. It makes no pause after a long walk over keys.
 * And it looks at `signal` before the commands run only, since nothing can abort it later.
 *
 * @throws TransportError as `send` rejects.
 */
export type AnswerNow = (commands: readonly Command[], options?: SendOptions) => Reply[];

/** Under this name, so that packages below this one find it too. */
const property: unique symbol = Symbol.for("continuum-cache:answer-now") as never;

interface Immediate {
  readonly [property]?: AnswerNow;
}

/**
 * The synchronous `send` of a transport whose answers need no waiting; `undefined` for every other transport.
 *
 * A wrapper does not have it, also when it is made by spreading the transport (`{ ...memory, send }`): its own `send` must be
 * called.
 */
export function answerNowOf(transport: Transport): AnswerNow | undefined {
  return (transport as Immediate)[property];
}

/** Gives a transport its synchronous `send`. */
export function withAnswerNow<Kind extends Transport>(transport: Kind, answerNow: AnswerNow): Kind {
  return Object.defineProperty(transport, property, { value: answerNow, enumerable: false });
}
