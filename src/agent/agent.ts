import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { utf8 } from "../bytes/text.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type AgentStatus, type Answer, type Caller, type Guards, type Outcome, PROTOCOL, type Request } from "./messages.ts";
import type { Place } from "./place.ts";
import { listen, type PeerOf } from "./serve.ts";
import type { Prompter } from "./prompt.ts";
import { type HeldSsh, SshServing } from "./ssh-serving.ts";
import { listenSsh } from "./ssh-socket.ts";

/** A home that an agent holds open. */
export type Held = {
  readonly keyring: Keyring;
  /** What it does as an agent of SSH. */
  readonly ssh: HeldSsh;
  /** Runs a command for a caller; undefined for one that agents do not run. */
  run(caller: Caller): Promise<Outcome | undefined>;
  /** What keeps it in step with its portal, and when that last took or sent something. */
  readonly inStep: { by(): AgentStatus["inStep"]; workedAt(): number };
  close(): Promise<void>;
};

/** What an agent is made of. */
export type AgentParts = {
  readonly place: Place;
  readonly build: string;
  /** So many milliseconds without use, and it locks. */
  readonly lockAfter: number;
  readonly guards: Guards;
  readonly peerOf: PeerOf;
  /** The programs that a process runs and was started by, nearest first. */
  readonly programsOf: (pid: number) => readonly string[];
  readonly prompter: Prompter;
  readonly now: () => number;
  /** Opens the home: errors as those of the keyring. Without a passphrase, `keyring-locked` says that it needs one. */
  readonly open: (passphrase: Uint8Array | undefined) => Promise<Held>;
  /** Gives memory back, while nobody waits. */
  readonly rest: () => Promise<void>;
};

/** Why an agent ended. */
export type Ending = "asked" | "idle" | "unreachable" | "home-gone";

/** An agent that answers. */
export type Agent = { readonly status: () => AgentStatus; readonly ended: Promise<Ending>; end(why: Ending): Promise<void> };

/** So long without a request, in milliseconds, and it is a moment to give memory back. */
const QUIET_MS = 3_000;

/**
 * Starts the agent of a home: it holds what opens it until it is asked to lock, is not used for `lockAfter`, or its home or socket is gone.
 *
 * To lock is to end: what else than its process could say that nothing of it is left in memory? Nothing that it holds is anywhere else, so it
 * may be killed at any moment. Errors: `agent-running`, `agent-failed`, those of `open` with the passphrase that is given at the start.
 */
export async function startAgent(parts: AgentParts, passphrase?: Uint8Array): Promise<Agent> {
  const { place, build, lockAfter, guards, now, rest } = parts;
  let held = await openUnlessLocked(parts, passphrase);
  let opening: Promise<void> = Promise.resolve();
  let [lastUse, lastRequest, busy, tired, rested] = [now(), now(), 0, true, 0];
  let finish: (why: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => (finish = resolve));

  const unlock = async (text: string): Promise<void> => {
    const octets = utf8(text.normalize("NFC"));
    try {
      // One at a time: each takes 64 MiB, and the second finds the work done.
      opening = opening.catch(() => {}).then(async () => void (held ??= await parts.open(octets)));
      await opening;
      serving.unlocked();
    } finally {
      octets.fill(0);
    }
  };
  const end = async (why: Ending): Promise<void> => {
    clearInterval(watch);
    listening.close();
    ssh.close();
    const last = held;
    held = undefined;
    last?.keyring.close();
    await last?.close();
    finish(why);
  };
  const status = (): AgentStatus => ({ pid: process.pid, build, unlocked: held !== undefined, lockAfter, inStep: held?.inStep.by() ?? null, guards, refused: serving.refused ?? null });

  const use = async (request: Request): Promise<Answer> => {
    if (request.ask === "unlock") {
      await unlock(request.passphrase);
      lastUse = now();
    }
    if (held === undefined) return { v: PROTOCOL, declined: "locked" };
    try {
      // Whether the home is still the one that was opened: another may be in its place, or none.
      await held.keyring.list();
    } catch {
      setImmediate(() => void end("home-gone"));
      return { v: PROTOCOL, declined: "locked" };
    }
    if (now() - lastUse >= lockAfter) {
      // A computer that woke up just now: the watch has not looked yet.
      setImmediate(() => void end("idle"));
      return { v: PROTOCOL, declined: "locked" };
    }
    lastUse = now();
    const ok = request.ask === "run" ? await held.run(request.caller) : await useKey(held.keyring, request);
    return ok === undefined ? { v: PROTOCOL, declined: "not-served" } : { v: PROTOCOL, ok };
  };
  const answer = async (request: Request): Promise<Answer> => {
    if (request.home !== place.home) return { v: PROTOCOL, declined: "home" };
    // These two are for any build: one that is out of date must be found out, and ended.
    if (request.ask === "status") return { v: PROTOCOL, ok: status() };
    if (request.ask === "lock") {
      setImmediate(() => void end("asked"));
      return { v: PROTOCOL, ok: status() };
    }
    if (request.build !== build) return { v: PROTOCOL, declined: "build" };
    busy += 1;
    tired = true;
    try {
      return await use(request);
    } catch (error) {
      return { v: PROTOCOL, error: toldOf(error) };
    } finally {
      busy -= 1;
      lastRequest = now();
      lastUse = Math.max(lastUse, held === undefined ? 0 : lastRequest);
    }
  };

  const serving = new SshServing({
    isHeld: () => held !== undefined,
    use: () => {
      // Its use counts as any.
      if (held === undefined || now() - lastUse >= lockAfter) return undefined;
      lastUse = now();
      return held.ssh;
    },
    unlock: async (passphrase) => {
      await unlock(passphrase);
      lastUse = now();
    },
    prompter: parts.prompter,
    home: place.home,
    now,
  });
  const listening = await listen(place, parts.peerOf, answer).catch(async (error: unknown) => {
    held?.keyring.close();
    await held?.close();
    throw error;
  });
  const ssh = await listenSsh(place, parts.peerOf, ({ gone, pid }) => serving.keysFor({ gone, programs: pid === undefined ? [] : parts.programsOf(pid) })).catch(async (error: unknown) => {
    listening.close();
    held?.keyring.close();
    await held?.close();
    throw error;
  });
  const watch = setInterval(() => {
    // By the clock on the wall: a computer that slept was not used.
    if (busy === 0 && now() - lastUse >= lockAfter) return void end("idle");
    if (!listening.isReachable()) return void end("unreachable");
    // What it does of itself is work as any, but no use: it keeps nothing unlocked.
    const worked = held?.inStep.workedAt() ?? 0;
    if ((!tired && worked <= rested) || busy > 0 || now() - Math.max(lastRequest, worked) < QUIET_MS) return;
    [tired, rested] = [false, now()];
    void rest();
  }, Math.min(Math.max(lockAfter / 20, 10), 1_000));
  return { status, ended, end };
}

async function openUnlessLocked(parts: AgentParts, passphrase: Uint8Array | undefined): Promise<Held | undefined> {
  try {
    return await parts.open(passphrase);
  } catch (error) {
    if (passphrase === undefined && error instanceof MeshError && error.code === "keyring-locked") return undefined;
    throw error;
  }
}

async function useKey(keyring: Keyring, request: Request): Promise<unknown> {
  switch (request.ask) {
    case "list":
      return keyring.list();
    case "sign":
      return toBase64url(await keyring.sign(request.id, fromBase64url(request.message)));
    case "sign-added":
      return toBase64url(await keyring.signAdded(request.id, { contribution: fromBase64url(request.contribution), publicKey: fromBase64url(request.publicKey) }, fromBase64url(request.message)));
    case "decapsulate":
      return toBase64url(await keyring.decapsulate(request.id, fromBase64url(request.ciphertext)));
    case "derive":
      return toBase64url(await keyring.derive(request.label, request.length));
    case "add":
      await keyring.addAll(request.secrets.map(({ id, purpose, secret }) => ({ id, purpose, secret: fromBase64url(secret) })));
      return true;
    case "remove":
      await keyring.remove(request.id);
      return true;
    default:
      return true;
  }
}

/** An error as it is told over the socket: of one that was not foreseen nothing but that, since it may quote anything. */
function toldOf(error: unknown): { readonly code: string; readonly message: string; readonly hint: string | null } {
  const known = error instanceof MeshError ? error : new MeshError("internal", "Something went wrong in the agent that Mesh did not foresee; this is a mistake in Mesh.");
  return { code: known.code, message: known.message, hint: known.hint ?? null };
}
