export type { OpenedBackend } from "./backend.ts";
export { openBackend } from "./backend.ts";
export { installedWordNet } from "./installed-wordnet.ts";
export type { Service, ServiceOptions } from "./service.ts";
export { startService } from "./service.ts";
