import { brand, hasBrand } from "@continuum-cache/core/kit";

/** Another process holds the name of this instance. The call that rejects with it has appended nothing. */
export class OriginTakenError extends Error {
  override readonly name = "OriginTakenError";
  readonly origin: string;

  constructor(origin: string) {
    super(
      `Expected the \`instanceId\` "${origin}" to be this process's alone, but another process holds it. ` +
        "Give each process a name of its own, or wait until the other has closed its log or its lease has ended",
    );
    brand(this, "OriginTakenError");
    this.origin = origin;
  }
}

/** Whether a value is an `OriginTakenError`, also of another copy of this package. */
export function isOriginTakenError(error: unknown): error is OriginTakenError {
  return hasBrand(error, "OriginTakenError");
}
