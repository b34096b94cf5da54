import { join } from "node:path";

/** Where the agent of a home answers ssh. */
export function agentSocket(home: string): string {
  return join(home, "agent", "ssh.sock");
}
