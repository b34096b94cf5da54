import { agentPlace } from "../../agent/place.ts";
import type { Environment } from "../world.ts";

/** Where the agent of a home answers ssh; undefined where there can be none. */
export function agentSocket({ environment, home }: { readonly home: string; readonly environment: Environment }): string | undefined {
  return agentPlace(home, environment)?.sshSocket;
}
