/** An item of a list of RFC 9651, of the kinds that rate limit fields hold. */
export interface ListItem {
  readonly value: string | number;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/**
 * Parses a list as in RFC 9651, section 4.2. @throws Error on any text that it does not allow.
 */
export function parseList(text: string): ListItem[] {
  let at = 0;
  const peek = (): string => text[at] ?? "";
  const fail = (expected: string): never => {
    throw new Error(`Expected ${expected} at ${at} of ${JSON.stringify(text)}`);
  };
  const take = (pattern: RegExp, expected: string): string => {
    const found = new RegExp(pattern, "y");
    found.lastIndex = at;
    const [word] = found.exec(text) ?? fail(expected);
    at += word.length;
    return word;
  };
  const bareItem = (): string | number => {
    if (peek() !== '"') return Number(take(/-?\d{1,15}(?![\d.])/, "an integer of at most 15 digits"));
    at++;
    let value = "";
    while (peek() !== '"') {
      if (peek() === "\\") {
        at++;
        value += take(/["\\]/, "an escaped quote or backslash");
      } else {
        value += take(/[\x20-\x7e]/, "printable ASCII");
      }
    }
    at++;
    return value;
  };
  const parameters = (): Record<string, string | number> => {
    const found: Record<string, string | number> = {};
    while (peek() === ";") {
      at++;
      take(/ */, "spaces");
      const key = take(/[a-z*][a-z0-9_.*-]*/, "a key");
      take(/=/, "a value");
      found[key] = bareItem();
    }
    return found;
  };

  const items: ListItem[] = [];
  while (at < text.length) {
    items.push({ value: bareItem(), parameters: parameters() });
    if (at === text.length) return items;
    take(/[ \t]*,[ \t]*(?=.)/, "a comma and another item");
  }
  return items;
}
