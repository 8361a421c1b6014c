import { fetchHttp, type HttpClient } from "@continuum-cache/transport-rest";
import { defaultHttp as nodeHttp } from "../src/http/node-http.ts";

/** Both ways out of this process; every promise holds on each. */
export const httpClients: readonly (readonly [name: string, make: () => HttpClient])[] = [
  ["Node's sockets", nodeHttp],
  ["fetch", () => fetchHttp()],
];
