export type { CompressedOptions, InflatedOptions } from "./codecs/compressed.ts";
export { compressed, inflated } from "./codecs/compressed.ts";
