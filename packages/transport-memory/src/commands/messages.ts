import { type CommandRows, row } from "./command-row.ts";

export const messages: CommandRows = {
  PUBLISH: row(3, ({ channels }, [channel, data]) => channels.publish(channel, data)),
};
