export type { Fetch } from "./http/fetch-http.ts";
export { fetchHttp } from "./http/fetch-http.ts";
export type { HttpClient, HttpRequest, HttpResponse } from "./http/http.ts";
export type { RestTransportOptions } from "./rest-options.ts";
export type { RestTransport } from "./rest-transport.ts";
export { restTransport } from "./rest-transport.ts";
export type { PlainRestTransport } from "./with-subscribe.ts";
