export {
  expressIdempotent,
  type IdempotentExpressRequest,
  type IdempotentExpressResponse,
} from "./idempotent/express-idempotent.ts";
export { honoIdempotent, type IdempotentHonoContext, idempotent } from "./idempotent/idempotent.ts";
export type { IdempotentOptions } from "./idempotent/idempotent-options.ts";
