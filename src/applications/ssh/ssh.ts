import type { Application } from "../application.ts";

/** SSH: a key of its own on each device, the servers that let them in, and the host keys that are known. */
export const ssh = { type: "ssh", summary: "a key on each device, and the servers that let them in", everywhere: false, coGenerated: true } as const satisfies Application;
