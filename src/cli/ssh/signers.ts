import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { isTellable } from "../../applications/ssh/client-config.ts";
import { ED25519, ed25519Blob, keyLine, type PublicKey, readKeyLine } from "../../applications/ssh/public-key.ts";
import { allowedSigners, endedKeys, endKey, type EndedKey, type Signer } from "../../applications/ssh/signers.ts";
import { fromBase64url } from "../../bytes/base64url.ts";
import { catalogOf, editEntries, readEntries } from "../../client/catalog.ts";
import { type Client, memberSelf } from "../../client/client.ts";
import { type DeviceLine, listDevices, namesOfDevices } from "../../client/devices.ts";
import { sharesOf } from "../../client/shares.ts";
import { replaceFile } from "../../machine/replace-file.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { agentSocket } from "./agent-socket.ts";
import { deviceKeys } from "./device-keys.ts";
import { filesIn, type Reach } from "./reach.ts";

/** The keys for SSH that this home has ever seen, by device: that of one who is gone is in no profile any more. */
type SeenRow = { readonly keys: readonly { readonly device: string; readonly pub: string }[] };

/** The files by which git signs, in the folder `ssh` of a home. */
export function signingFiles(home: string) {
  const { folder, identity } = filesIn(home);
  return { folder, identity, allowed: join(folder, "allowed_signers"), program: join(folder, "git-sign"), before: join(folder, "git-signing.json") } as const;
}

/** Notes the ends of keys whose devices were cut off, for every device of the mesh; what it changed goes with the next sync. Whether it did. */
export async function noteEnded(client: Client): Promise<boolean> {
  const devices = await listDevices(client);
  const { seen, shares } = await client.rows.read(async (rows) => ({ seen: (await rows.get<SeenRow>("signers", "seen"))?.keys ?? [], shares: (await sharesOf(rows, await catalogOf(rows, "ssh")))?.shares ?? [] }));
  const now = shares.map(({ device, pub }) => ({ device, pub }));
  const fresh = now.filter((one) => !seen.some((other) => isSame(one, other)));
  if (fresh.length > 0) await client.rows.transact((rows) => rows.put("signers", "seen", "", { keys: [...seen, ...fresh] } satisfies SeenRow));
  const active = idsOf(devices, "active");
  const gone = [...seen, ...fresh].filter((one) => isGone(devices, one.device) || (active.has(one.device) && !now.some((other) => isSame(one, other))));
  if (gone.length === 0) return false;
  const until = Math.floor(client.now() / 1000);
  let noted = false;
  await editEntries(client, "ssh", (entries) => {
    const known = new Set(endedKeys(entries, active).map((one) => keyLine(one.key)));
    const lacking = gone.map(({ device, pub }): EndedKey => ({ device, key: keyOf(pub), until })).filter((one) => !known.has(keyLine(one.key)));
    noted = lacking.length > 0;
    return lacking.map(endKey);
  });
  return noted;
}

/** Writes the files by which git signs and knows signatures; `only-kept` leaves a device alone where git was not told of them. */
export async function writeSigning(client: Client, reach: Pick<Reach, "home" | "environment">, which?: "only-kept"): Promise<void> {
  const files = signingFiles(reach.home);
  if (which === "only-kept" && !existsSync(files.before)) return;
  const due = await dueSigning(client, reach);
  try {
    mkdirSync(files.folder, { recursive: true, mode: 0o700 });
    for (const [path, content] of Object.entries(due)) if (!existsSync(path) || readFileSync(path, "utf8") !== content) replaceFile(path, content, path === files.program ? 0o700 : 0o600);
  } catch (error) {
    throw new MeshError("ssh-config-untouched", `${files.folder} cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`, "It is as it was.");
  }
}

/** These files as they are to be, by their paths. */
export async function dueSigning(client: Client, reach: Pick<Reach, "home" | "environment">): Promise<Readonly<Record<string, string>>> {
  const files = signingFiles(reach.home);
  const socket = agentSocket(reach);
  const own = (await deviceKeys(client)).find((one) => one.this);
  demand(own !== undefined, "share-missing", "This device has no key for SSH that counts.", "Run `mesh sync` on an administration device, then here.");
  demand(socket !== undefined && isTellable(reach.home) && isTellable(socket), "ssh-config-untouched", `git and ssh-keygen do not take the path of this home: ${reach.home}`, "Choose one of letters, digits, dashes and slashes.");
  const program = `#!/bin/sh\n# Written by mesh: what git signs is signed by the agent of this home.\nSSH_AUTH_SOCK='${socket}' exec ssh-keygen "$@"\n`;
  return { [files.identity]: `${own.key}\n`, [files.allowed]: allowedSigners((await memberSelf(client)).address, await signersOf(client)), [files.program]: program };
}

/** Every key whose signatures count, those of the devices first that are active. */
async function signersOf(client: Client): Promise<readonly Signer[]> {
  const names = await namesOfDevices(client);
  const keys = (await deviceKeys(client)).map(({ device, key }): Signer => {
    const { blob, kind } = readKeyLine(key);
    return { device, key: { blob, kind } };
  });
  const present = new Set(keys.map((one) => keyLine(one.key)));
  const ended = endedKeys(await readEntries(client, "ssh"), idsOf(await listDevices(client), "active")).filter((one) => !present.has(keyLine(one.key)) && one.until * 1000 <= client.now());
  return [...keys, ...ended.map(({ device, key, until }): Signer => ({ device: names.get(device) ?? device.slice(0, 9), key, until: localTime(until) }))];
}

/** A time as ssh-keygen and git write it, by this computer's clock on the wall: every OpenSSH that verifies reads that, and only newer ones another zone. */
function localTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${time.getFullYear()}${[time.getMonth() + 1, time.getDate(), time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join("")}`;
}

function keyOf(pub: string): PublicKey {
  return { kind: ED25519, blob: ed25519Blob(fromBase64url(pub)) };
}

/** One who is suspended may come back; what it signs counts for nobody meanwhile, and has no end. */
function isGone(devices: readonly DeviceLine[], device: string): boolean {
  return (devices.find((one) => one.fingerprint === device)?.status ?? "disabled") === "disabled";
}

function idsOf(devices: readonly DeviceLine[], status: DeviceLine["status"]): ReadonlySet<string> {
  return new Set(devices.filter((one) => one.status === status).map((one) => one.fingerprint));
}

function isSame(a: SeenRow["keys"][number], b: SeenRow["keys"][number]): boolean {
  return a.device === b.device && a.pub === b.pub;
}
