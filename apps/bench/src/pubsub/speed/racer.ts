import type { Contender, Keeping } from "../contenders/contender.ts";

/** One client that publishes and one that listens, and what a message takes from the call to the listener. */
export interface Racer {
  readonly title: string;
  /** Resolves once the message has been published, and heard. */
  pass(): Promise<void>;
  /** How long each took since the last time this was asked, in milliseconds, the shortest first. */
  takeLatencies(): number[];
  close(): Promise<void>;
}

const channel = "speed";
const text = "x".repeat(100);

export async function startRacer(
  title: string,
  { publisher, listener }: { readonly publisher: Contender; readonly listener: Contender },
  replay?: Keeping,
): Promise<Racer> {
  // No client stumbles over such a name: one subscribes to something else where there is a slash.
  const name = `${channel}:${title.replace(/[^a-z]/g, "-")}`;
  const heard = new Map<number, () => void>();
  let latencies: number[] = [];
  let count = 0;
  await listener.listen(
    { kind: "channel", name, ...(replay && { replay }) },
    {
      message({ data }) {
        const { id } = data as { id: number };
        heard.get(id)?.();
        heard.delete(id);
      },
      gap({ reason }) {
        throw new Error(`Expected no gap with nothing wrong, got one: ${reason}`);
      },
    },
  );
  return {
    title,
    async pass() {
      const id = count++;
      const arrived = new Promise<void>((resolve) => heard.set(id, resolve));
      const startedAt = performance.now();
      const published = publisher.publish(name, { id, text }, replay);
      await arrived;
      latencies.push(performance.now() - startedAt);
      await published;
    },
    takeLatencies() {
      const taken = latencies.sort((one, other) => one - other);
      latencies = [];
      return taken;
    },
    async close() {
      await publisher.close();
      await listener.close();
    },
  };
}
