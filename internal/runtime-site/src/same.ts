/** Throws unless both are the same: by structure, by type, and byte by byte. */
export function same(actual: unknown, expected: unknown): void {
  const [left, right] = [show(actual), show(expected)];
  if (left !== right) throw new Error(`expected ${right.slice(0, 600)}, got ${left.slice(0, 600)}`);
}

/** Throws unless `actual` has each property of `expected`, the same. */
export function sameIn(actual: unknown, expected: Readonly<Record<string, unknown>>): void {
  const properties = Object(actual) as Readonly<Record<string, unknown>>;
  same(Object.fromEntries(Object.keys(expected).map((name) => [name, properties[name]])), expected);
}

/** Resolves once `condition` holds, which it asks until 10 s are over. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const start = Date.now(); !(await condition()); await new Promise((later) => setTimeout(later, 10))) {
    if (Date.now() - start > 10_000) throw new Error(`Gave up waiting until ${what}`);
  }
}

/** A text that differs wherever values do. Properties are sorted; `undefined` ones count as absent, as in JSON. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Map) return `Map(${show([...value])})`;
  if (value instanceof Set) return `Set(${show([...value])})`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${[...bytesOf(value)]})`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${JSON.stringify(name)}: ${show(each)}`)
    .join(", ")}}`;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
