import { MeshError } from "../refusals/mesh-error.ts";
import type { Client } from "./client.ts";

const TRIES = 8;
const OVERTAKEN: ReadonlySet<string> = new Set(["commit-out-of-order", "commit-wrong-epoch", "profile-out-of-order", "account-changed"]);

/** Does again, from the state as it is now, what another device got in before; `work` begins with a pull. It stands back between: two in step with each other would overtake one another for ever. */
export async function unlessOvertaken<T>(client: Client, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isOvertaken(error) || tries === TRIES) throw error;
      await client.standBack(tries);
    }
  }
}

/** Whether a refusal says no more than that somebody else was quicker. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof MeshError && OVERTAKEN.has(error.code);
}
