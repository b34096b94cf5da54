import { fromUtf8 } from "../../bytes/text.ts";
import type { Host, readTarget } from "../../applications/ssh/host.ts";
import { keysIn, scanKind } from "../../applications/ssh/known-hosts.ts";
import type { PublicKey } from "../../applications/ssh/public-key.ts";
import type { Connection } from "../../applications/ssh/ssh-log.ts";
import { converse } from "../../machine/converse.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Environment } from "../world.ts";

/** Where a server is, by what was typed and what this person's ssh makes of it. */
export async function resolveTarget(typed: ReturnType<typeof readTarget>, environment: Environment): Promise<Pick<Host, "host" | "port" | "user" | "typed">> {
  const { host, port, user } = await resolveWay(typed, environment);
  return { host, port, user, typed: typed.host };
}

/** As `resolveTarget`, with the hosts by way of which it is reached; by another configuration where one is given. */
export async function resolveWay(typed: ReturnType<typeof readTarget>, environment: Environment, config?: string): Promise<Pick<Host, "host" | "port" | "user"> & { readonly jump: string | undefined }> {
  const args = [...(config === undefined ? [] : ["-F", config]), ...(typed.user === undefined ? [] : ["-l", typed.user]), ...(typed.port === undefined ? [] : ["-p", String(typed.port)])];
  const { said, status } = await converse("ssh", ["-G", ...args, "--", typed.host], { environment, within: 10_000, most: 1024 * 1024 });
  const lines = fromUtf8(said).split("\n");
  const valueOf = (name: string): string | undefined => lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  const [host, user, port, jump] = [valueOf("hostname"), valueOf("user"), Number(valueOf("port")), valueOf("proxyjump")];
  demand(status === 0 && host !== undefined && user !== undefined && Number.isInteger(port), "ssh-host-failed", "This computer's ssh does not read its own configuration.", `Try: ssh -G ${typed.host}`);
  return { host, port, user, jump: jump === "none" ? undefined : jump };
}

/**
 * The key of a fingerprint, as the server shows it to whoever asks; undefined where it cannot be asked, or shows another.
 * @param kind of the key that is wanted, as ssh names it; without, any
 */
export async function fetchHostKey({ host, port }: Pick<Host, "host" | "port">, { fingerprint, kind }: Partial<NonNullable<Connection["met"]>> & { readonly fingerprint: string }, environment: Environment): Promise<PublicKey | undefined> {
  const wanted = kind === undefined ? undefined : scanKind(kind);
  if (kind !== undefined && wanted === undefined) return undefined;
  const { said } = await converse("ssh-keyscan", ["-T", "5", "-p", String(port), ...(wanted === undefined ? [] : ["-t", wanted]), host], { environment, within: 8000, most: 64 * 1024 });
  return keysIn(fromUtf8(said), fingerprint)[0];
}
