import type { Environment } from "../world.ts";

/** Tells systemd that the service is ready, where it asked to be told (`Type=notify`): by its own program, since Node has no datagram sockets of the kind. */
export async function tellReady(environment: Environment): Promise<void> {
  if (environment["NOTIFY_SOCKET"] === undefined) return;
  const { spawn } = await import("node:child_process");
  await new Promise<void>((done) => {
    const child = spawn("systemd-notify", ["--ready", "--status=serving"], { stdio: "ignore" });
    // Without that program systemd gives the portal up when its time to start is over, and says so.
    child.once("error", () => done());
    child.once("exit", () => done());
  });
}
