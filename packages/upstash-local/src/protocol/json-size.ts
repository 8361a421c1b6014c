import { endOfString } from "./json-numbers.ts";

/** What a JSON text holds, counted without making anything of it. */
export interface JsonSize {
  /** How many arrays and objects stand within the outermost one. */
  readonly inner: number;
  /** How many levels of them there are. */
  readonly depth: number;
  /** How many values there are at least: one more than commas. */
  readonly values: number;
  /** Whether a number stands anywhere. */
  readonly hasNumber: boolean;
}

const quote = 0x22;

/** Reads once over a text that need not be valid. */
export function sizeOfJson(json: string): JsonSize {
  let containers = 0;
  let level = 0;
  let depth = 0;
  let commas = 0;
  let hasNumber = false;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === quote) at = endOfString(json, at + 1) - 1;
    else if (code === 0x5b || code === 0x7b) {
      containers++;
      depth = Math.max(depth, ++level);
    } else if (code === 0x5d || code === 0x7d) level--;
    else if (code === 0x2c) commas++;
    else if (code >= 0x30 && code <= 0x39) hasNumber = true;
  }
  return { inner: Math.max(0, containers - 1), depth, values: commas + 1, hasNumber };
}
