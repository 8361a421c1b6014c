import type { Decision } from "../types.ts";

/** The names of limits in responses: one name for all, or a name for each. */
export type PolicyName = string | ((decision: Decision) => string);

const longestName = 128;

/**
 * The name of each decision's limit, the same in header fields and in problem details: its scope, unless there is a
 * `policyName`. Limits of one name get the lengths of their windows appended, since clients tell limits apart by name.
 */
export function policyNames(decisions: readonly Decision[], policyName: PolicyName | undefined): readonly string[] {
  const plain = decisions.map((decision) => {
    const name = typeof policyName === "function" ? policyName(decision) : (policyName ?? decision.scope);
    return toPrintable(name) || "default";
  });
  const names: string[] = [];
  for (const [index, name] of plain.entries()) {
    const isShared = plain.indexOf(name) !== plain.lastIndexOf(name);
    names.push(unused(isShared ? `${name}-${decisions[index]?.windowSeconds}s` : name, names));
  }
  return names;
}

function unused(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  let number = 2;
  while (taken.includes(`${name}-${number}`)) number++;
  return `${name}-${number}`;
}

/**
 * A structured field's string holds printable ASCII only. All other characters, line breaks above all, are
 * percent-encoded as UTF-8. A name that is too long for a header is cut.
 */
const toPrintable = (name: string): string => name.replace(/[^\x20-\x7e]+/g, percentEncoded).slice(0, longestName);

const percentEncoded = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
