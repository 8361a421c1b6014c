import { answerParent } from "../child.ts";
import { startGateway } from "./gateway.ts";

/** Serves REST in front of the Redis that it is asked for, and answers its address. */
answerParent(({ redisUrl, token }: { readonly redisUrl: string; readonly token: string }) =>
  startGateway(redisUrl, token),
);
