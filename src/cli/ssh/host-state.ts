import type { Found } from "../../applications/ssh/block.ts";
import type { Applied, Host } from "../../applications/ssh/host.ts";
import type { PublicKey } from "../../applications/ssh/public-key.ts";
import type { Connection } from "../../applications/ssh/ssh-log.ts";
import type { MeshError } from "../../refusals/mesh-error.ts";
import type { Target } from "./reach.ts";

/** How it went with one server. */
export type HostState = {
  readonly name: string;
  readonly way: Host["way"];
  /** `stale`: looked at, and not in step; `failed` has what stood in the way in `trouble`. */
  readonly state: "in-step" | "brought-in-step" | "stale" | "unreachable" | "failed";
  /** Fingerprints of due keys, or of the lists of a managed server, that did not stand there, and of keys that did and should not. */
  readonly missing: readonly string[];
  readonly surplus: readonly string[];
  /** What lets somebody in outside our block, and what of it is new since a device looked last. */
  readonly others: readonly string[];
  readonly newOthers: readonly string[];
  readonly trouble?: MeshError;
};

/** What is to be noted of a server. */
export type Noted = { readonly applied: Applied; readonly hostKey: PublicKey | undefined };

/** A server to bring in step, perhaps one that is not kept yet. */
export type ToBring = Target & Pick<Host, "block" | "applied" | "way" | "sshdConfig">;

/** How it stood, and what is to be noted. */
export type Brought = Noted & { readonly state: HostState };

/** What was seen on a server: authorized_keys, the host key that was met, what is to be noted of it, and whether anything was written. */
export type Seen = { readonly found: Found; readonly met: Connection["met"]; readonly written: boolean } & Pick<HostState, "missing" | "surplus"> & Pick<Applied, "keys" | "asOf" | "certified">;
