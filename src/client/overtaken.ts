import { MeshError } from "../refusals/mesh-error.ts";

const TRIES = 6;
const OVERTAKEN: ReadonlySet<string> = new Set(["commit-out-of-order", "commit-wrong-epoch", "profile-out-of-order", "account-changed"]);

/** Does again, from the state as it is now, what another device got in before; `work` begins with a pull. */
export async function unlessOvertaken<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isOvertaken(error) || tries === TRIES) throw error;
    }
  }
}

/** Whether a refusal says no more than that somebody else was quicker. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof MeshError && OVERTAKEN.has(error.code);
}
