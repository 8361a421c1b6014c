import type { Command, Reply } from "@continuum-cache/core";
import { recordingTransport } from "./recording-transport.ts";

/** A Redis that holds strings with an end, by `Date.now()`, and answers at once or after so long. */
export function expiringStore(roundTripMs = 0) {
  const held = new Map<string, { readonly value: string; readonly endsMs: number }>();
  const read = (key: unknown): string | null => {
    const entry = held.get(String(key));
    if (entry && entry.endsMs > Date.now()) return entry.value;
    held.delete(String(key));
    return null;
  };
  const run = ([name, ...args]: Command): Reply => {
    const [key, value, unit, time] = args;
    if (name === "MGET") return args.map(read);
    if (name === "GET") return read(key);
    if (name === "DEL") return args.filter((each) => held.delete(String(each))).length;
    if (name === "PTTL") return (held.get(String(key))?.endsMs ?? 0) - Date.now();
    const ms = unit === "EX" ? Number(time) * 1_000 : unit === "PX" ? Number(time) : Number.POSITIVE_INFINITY;
    if (name === "SET") held.set(String(key), { value: String(value), endsMs: Date.now() + ms });
    return "OK";
  };
  const transport = recordingTransport((command) =>
    roundTripMs === 0 ? run(command) : new Promise((resolve) => setTimeout(() => resolve(run(command)), roundTripMs)),
  );
  /** The names of the commands so far. */
  const commands = (): string[] => transport.trips.flat().map(([name]) => String(name));
  return { held, transport, commands };
}
