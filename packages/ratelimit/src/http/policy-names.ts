import type { Decision } from "../types.ts";

/** What limits are called in answers: one name for all, or a name for each. */
export type PolicyName = string | ((decision: Decision) => string);

const longestName = 128;

/**
 * What each decision's limit is called, the same in header fields and in problem details: its scope, unless said
 * otherwise. Limits of one name get their windows' lengths appended, since clients tell limits apart by their names
 * alone.
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
 * A structured field's string holds printable ASCII alone. Everything else, line breaks above all, is percent-encoded
 * as UTF-8, and what is too long for a header is cut.
 */
const toPrintable = (name: string): string => name.replace(/[^\x20-\x7e]+/g, percentEncoded).slice(0, longestName);

const percentEncoded = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
