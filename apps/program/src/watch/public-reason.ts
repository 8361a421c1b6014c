/**
 * Why the primary is away, for visitors: the kind of the error, such as "unreachable". The rest of a reason belongs in
 * the operator's log, since it holds the server's address.
 */
export function publicReason(reason: string): string {
  const [kind = "unavailable"] = /^[a-z-]+(?=: )/.exec(reason) ?? [];
  return kind;
}
