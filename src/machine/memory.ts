import { libc } from "./libc.ts";

/** Collects garbage down to what lives, and gives what is free back to the system: some 100 ms, while nobody waits. */
export async function giveMemoryBack(): Promise<void> {
  await collectGarbage();
  (await libc())?.trim();
}

/** Collects garbage down to what lives. */
export async function collectGarbage(): Promise<void> {
  try {
    const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import("node:v8"), import("node:vm")]);
    // Asked for at the start, by an option, the engine would refuse its own snapshot, and start slowly.
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as NonNullable<typeof gc>)({ type: "major", execution: "sync", flavor: "last-resort" });
  } catch {
    // An engine that has no such door: what it holds it holds.
  }
}
