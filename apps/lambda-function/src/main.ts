import { loadDigest } from "@continuum-cache/program";
import digest from "@continuum-cache/program/digest.txt";
import { createHandler, type HttpHandler } from "./handler.ts";
import { createService } from "./service.ts";

/** Lambda calls it as `index.handler` of the bundle. */
export const handler: HttpHandler = createHandler(createService(process.env, loadDigest(digest)));
