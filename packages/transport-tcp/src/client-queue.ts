import type { TcpClient } from "./tcp-options.ts";

/** The commands of an ioredis client whose replies are missing, in order: the part of its `commandQueue` that is used here. */
export interface ClientQueue {
  readonly length: number;
  peekFront(): QueuedCommand | undefined;
  peekBack(): QueuedCommand | undefined;
  peekAt(index: number): QueuedCommand | undefined;
}

interface QueuedCommand {
  readonly command: { readonly name: string };
}

/** A client's queue, of which it has another one for each connection; undefined when it is not what it was. */
export function queueOf(client: TcpClient): ClientQueue | undefined {
  const { commandQueue } = client as TcpClient & { readonly commandQueue?: Partial<ClientQueue> };
  const isKnown =
    typeof commandQueue?.length === "number" &&
    typeof commandQueue.peekFront === "function" &&
    typeof commandQueue.peekBack === "function" &&
    typeof commandQueue.peekAt === "function";
  return isKnown ? (commandQueue as ClientQueue) : undefined;
}

/** Tells whether a command that begins or ends listening to channels is among those that a queue holds. */
export function createListeningCheck(queue: ClientQueue): () => boolean {
  /** The last command up to which there was none. */
  let checked: QueuedCommand | undefined;
  return () => {
    const last = queue.peekBack();
    if (last !== checked) {
      for (let at = queue.length - 1; at >= 0; at--) {
        const queued = queue.peekAt(at) as QueuedCommand;
        if (queued === checked) break;
        if (/subscribe$/i.test(queued.command.name)) return true;
      }
    }
    checked = last;
    return false;
  };
}
