import { brand, hasBrand } from "@continuum-cache/core/kit";

/** Another process holds the name of this instance. Nothing was appended by the call that rejects with it. */
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

/** Whether something is an `OriginTakenError`, of whatever copy of this package. */
export function isOriginTakenError(error: unknown): error is OriginTakenError {
  return hasBrand(error, "OriginTakenError");
}
