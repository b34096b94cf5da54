import { agentPlace } from "../../agent/place.ts";
import type { Reach } from "./reach.ts";

/** Where the agent of a home answers ssh; undefined where there can be none. */
export function agentSocket({ environment, home }: Pick<Reach, "home" | "environment">): string | undefined {
  return agentPlace(home, environment)?.sshSocket;
}
