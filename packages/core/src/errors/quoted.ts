import { redact } from "./redact.ts";

/** What came, for an error: a text's beginning, a number, or the kind of thing, never an object's content. */
export function quoted(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(redact(value).slice(0, 40));
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "function") return "a function";
  return `${String(value)} (${typeof value})`;
}
