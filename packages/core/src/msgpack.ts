export { msgpack } from "./codecs/msgpack.ts";
