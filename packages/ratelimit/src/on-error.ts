/**
 * What happens to calls while Redis does not decide: this process goes on with its share of each limit, if it has
 * one, or everything is let through, or nothing.
 */
export type OnError = "local" | "open" | "closed";
