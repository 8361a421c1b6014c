import { CodecError } from "../../errors/codec-error.ts";
import type { SchemaIssue, StandardSchema } from "../../keys/standard-schema.ts";
import { settlesWithin } from "../../time/settles-within.ts";

/** What a schema makes of a value, or why the value does not fit. */
export type Fitting =
  | { readonly fits: true; readonly value: unknown }
  | { readonly fits: false; readonly error: CodecError };

/**
 * Checks a value by a schema. It does not reject: of a schema that throws, or that gives no answer in time, the value
 * does not fit.
 */
export async function fit(schema: StandardSchema, value: unknown, what: string, timeoutMs: number): Promise<Fitting> {
  const standard = schema["~standard"];
  const { vendor } = standard;
  try {
    const checking = standard.validate(value);
    if (checking instanceof Promise && !(await settlesWithin(Math.max(1, timeoutMs), checking))) {
      const message = `The ${vendor} schema gave no answer within ${Math.ceil(timeoutMs)} ms`;
      return { fits: false, error: new CodecError("schema", message) };
    }
    const result = await checking;
    if (!result.issues) return { fits: true, value: result.value };
    const message = `${what} does not fit its ${vendor} schema${placeOf(result.issues)}`;
    return { fits: false, error: new CodecError("schema", message) };
  } catch (cause) {
    const message = `The ${vendor} schema threw while it checked the value: see \`cause\``;
    return { fits: false, error: new CodecError("schema", message, { cause }) };
  }
}

/** Where the first misfit is. The words of a schema may hold the value, so they are left out. */
function placeOf([first]: readonly SchemaIssue[]): string {
  const path = first?.path ?? [];
  if (path.length === 0) return "";
  const names = path.map((part) => String(typeof part === "object" ? part.key : part).slice(0, 40));
  return ` at ${JSON.stringify(names.slice(0, 10).join("."))}`;
}
