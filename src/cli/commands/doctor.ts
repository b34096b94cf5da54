import { type Client, selfOf } from "../../client/client.ts";
import { statusOf } from "../../client/status.ts";
import { meetPortal } from "../../client/portal-link.ts";
import { keyringHolds } from "../../keyring/file.ts";
import { status as statusCommand } from "../../protocol/profiles.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Call } from "../call.ts";
import { homeFiles, openHome } from "../home.ts";
import { clientOf } from "../open-client.ts";

/** One thing that was looked at. */
type Finding = { readonly check: string; readonly ok: boolean; readonly found: string; readonly hint: string | null };

const SKEW_MS = 10 * 60_000;

/** `mesh doctor`: looks at everything that this device needs, and says of each whether it is well and what to do. */
export async function run(call: Call): Promise<void> {
  const findings: Finding[] = [];
  const look = async (check: string, work: () => Promise<string>): Promise<boolean> => {
    try {
      findings.push({ check, ok: true, found: await work(), hint: null });
      return true;
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      findings.push({ check, ok: false, found: error.message, hint: error.hint ?? null });
      return false;
    }
  };
  let client: Client | undefined;
  const opened = await look("home", async () => {
    const home = await openHome(call);
    client = await clientOf(home, call, "online");
    return `${home.path}, ${keyringHolds(homeFiles(home.path).master, "master-signature") ? "with" : "without"} Master keys`;
  });
  if (opened && client !== undefined) await lookInside(call, client, look);
  const sick = findings.filter((finding) => !finding.ok);
  call.output.data(findings, findings.map(({ check, ok, found, hint }) => `${ok ? "ok  " : "BAD "} ${check.padEnd(8)} ${found}${hint === null ? "" : `\n              ${hint}`}`).join("\n"));
  if (sick.length > 0) throw new MeshError("doctor-found-trouble", `${sick.length} of ${findings.length} things are not well: ${sick.map((finding) => finding.check).join(", ")}.`);
}

async function lookInside(call: Call, client: Client, look: (check: string, work: () => Promise<string>) => Promise<boolean>): Promise<void> {
  const self = await selfOf(client);
  await look("keys", async () => {
    const held = await client.keyring.list();
    for (const id of [self.device, self.authenticationKey, self.encryptionKey]) demand(held.some((key) => key.id === id), "keyring-key-missing", `The keyring holds no key named ${id}.`);
    // The keys are sealed one by one under the same: what one opens with, all do.
    await client.keyring.sign(self.device, new Uint8Array(0));
    return `${held.length} keys, all of this device's among them`;
  });
  await look("history", async () => {
    const { onTrust, unchecked } = await statusOf(client);
    const parts = [...onTrust.map(({ by, changes }) => `${changes} changes by the word of ${by}, which your portal keeps no more`), ...(unchecked > 0 ? [`${unchecked} changes still to be read: mesh sync`] : [])];
    return parts.length === 0 ? "every change was read by this device itself" : parts.join("; ");
  });
  await look("portal", async () => {
    const link = await meetPortal(client, self.portal.url, self.portal.id);
    call.whenDone(() => link.close());
    if (self.state !== "connected") return `${self.portal.url} answers`;
    const answer = await link.call({ device: self.device, master: self.master, authenticationKey: self.authenticationKey }, statusCommand, {});
    const skew = answer.now - client.now();
    if (Math.abs(skew) > SKEW_MS) throw new MeshError("clock-off", `This device's clock and the portal's differ by ${Math.round(Math.abs(skew) / 60_000)} minutes.`, "Nothing depends on it, but check the time of this device.");
    return `${self.portal.url} answers, and is who it was`;
  });
}
