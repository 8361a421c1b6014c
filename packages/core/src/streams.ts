export { serverStreamOf, sharedStreamOf } from "./streams/shared-stream.ts";
