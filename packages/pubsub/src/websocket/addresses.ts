import { type Budget, createBudget } from "./budget.ts";
import type { ServerSocket } from "./server-socket.ts";

/** The clients of a bridge by address, so that one address can't use up the room of all others. */
export interface Addresses<Client> {
  /** How many clients an address has. */
  count(address: string | undefined): number;
  add(address: string | undefined, client: Client): void;
  delete(address: string | undefined, client: Client): void;
  /** The latest client of the address that has the most clients, if it has more than so many. */
  mostOf(moreThan: number): Client | undefined;
  /** Whether a client of this address may subscribe once more. The count outlives the connection. */
  maySubscribe(address: string | undefined): boolean;
}

/** So many of the latest addresses without a client are remembered. */
const mostRemembered = 10_000;

interface Known<Client> {
  readonly clients: Set<Client>;
  readonly budget: Budget;
}

export function createAddresses<Client>(burst: number, perSecond: number): Addresses<Client> {
  const known = new Map<string, Known<Client>>();

  const at = (address: string): Known<Client> => {
    const one = known.get(address) ?? { clients: new Set<Client>(), budget: createBudget(burst, perSecond) };
    // The entries are in the order of their use.
    known.delete(address);
    known.set(address, one);
    return one;
  };
  const forgetOld = (): void => {
    if (known.size <= mostRemembered) return;
    for (const [address, { clients }] of known) {
      if (clients.size > 0) continue;
      known.delete(address);
      if (known.size <= mostRemembered) return;
    }
  };

  return {
    count: (address) => (address === undefined ? 0 : (known.get(address)?.clients.size ?? 0)),
    add(address, client) {
      if (address === undefined) return;
      at(address).clients.add(client);
      forgetOld();
    },
    delete(address, client) {
      const one = address === undefined ? undefined : known.get(address);
      if (!one?.clients.delete(client)) return;
      if (one.clients.size === 0 && one.budget.isFull) known.delete(address as string);
    },
    mostOf(moreThan) {
      let most: ReadonlySet<Client> | undefined;
      for (const { clients } of known.values()) if (clients.size > (most?.size ?? moreThan)) most = clients;
      return most && [...most].at(-1);
    },
    maySubscribe: (address) => address === undefined || at(address).budget.take(),
  };
}

/**
 * The remote address of a `ws` socket: its IPv4 address, or the first half of its IPv6 address, which belongs to one
 * host. `undefined` where the platform doesn't tell (Workers).
 */
export function remoteAddressOf(socket: ServerSocket): string | undefined {
  const { _socket: stream } = socket as { readonly _socket?: { readonly remoteAddress?: unknown } };
  const address = stream?.remoteAddress;
  if (typeof address !== "string") return undefined;
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return v4 ?? firstHalfOf(address.replace(/%.*$/, ""));
}

function firstHalfOf(address: string): string {
  const [head = "", tail] = address.split("::");
  const groups = (text: string | undefined): string[] => (text ? text.split(":") : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  const all = [...before, ...zeros, ...after].slice(0, 4);
  return `${all.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
