export type { Fetch } from "./http/fetch-http.ts";
export { fetchHttp } from "./http/fetch-http.ts";
export type { HttpClient, HttpRequest, HttpResponse } from "./http/http.ts";
export type { SendOnlyRestTransport } from "./open-transport.ts";
export { plainRestTransport, sendOnlyRestTransport } from "./plain-rest-transport.ts";
export type { RestTransportOptions } from "./rest-options.ts";
export type { PlainRestTransport } from "./with-subscribe.ts";
