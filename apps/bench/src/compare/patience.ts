/** Of calls of ours. The rivals have no deadline, and a machine that stands still for a while must fail no call. */
export const timeout = "2m";
