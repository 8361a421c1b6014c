export type { CompressedOptions } from "./codecs/compressed.ts";
export { compressed } from "./codecs/compressed.ts";
