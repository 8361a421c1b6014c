import type { Outgoing } from "./outgoing.ts";

export const maxPerTrip = 200;
export const maxTripBytes: number = 256 << 10;

/** What one trip may carry. */
export function inParts(outs: readonly Outgoing[]): readonly (readonly Outgoing[])[] {
  const parts: Outgoing[][] = [];
  let bytes = 0;
  for (const out of outs) {
    const last = parts.at(-1);
    bytes += out.bytes;
    if (last && last.length < maxPerTrip && bytes <= maxTripBytes) last.push(out);
    else {
      parts.push([out]);
      bytes = out.bytes;
    }
  }
  return parts;
}
