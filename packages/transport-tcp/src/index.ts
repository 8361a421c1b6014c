export type { TcpClient } from "./tcp-client.ts";
export type { TcpOptions } from "./tcp-options.ts";
export type { TcpTransport } from "./tcp-transport.ts";
export { tcpTransport } from "./tcp-transport.ts";
