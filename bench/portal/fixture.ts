import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePortalData, openPortalData } from "../../src/cli/portal/data.ts";
import { currentFormat } from "../../src/store/sqlite-format.ts";
import { writeBatch } from "./batches.ts";
import { type Account, makeAccount, nextUpdate } from "./people.ts";
import { openLocal } from "./local.ts";

/** So many that neither keys nor meshes of all fit into what a portal remembers. */
export const ACCOUNTS = 3000;
/** How many updates of each are ready to be sent: one round to warm up, the others to count. */
export const ROUNDS = 8;
/** Raised when what a portal writes changes, so that no fixture of an older one is measured. */
const GENERATION = 5;
const AT_ONCE = 48;

/** A portal's directory with many accounts and open sessions, and rounds of signed requests that nobody has sent yet. */
export type Fixture = { readonly folder: string; readonly portal: string };

/** The fixture of this layout of the database; making it takes about a minute, so it is kept in the folder for temporary files. */
export async function openFixture(say: (line: string) => void): Promise<Fixture> {
  const folder = join(tmpdir(), `mesh-bench-portal-${ACCOUNTS}-${ROUNDS}-${currentFormat.number}.${GENERATION}`);
  if (!existsSync(folder)) {
    say(`making ${ACCOUNTS} accounts with ${ROUNDS} updates each in ${folder}; this takes a minute, once`);
    const draft = mkdtempSync(`${folder}-`);
    await make(draft);
    renameSync(draft, folder);
  }
  return { folder, portal: join(folder, "portal") };
}

/** A copy of the portal's directory, to be written to; it listens on the port given. */
export function copyPortal(fixture: Fixture, into: string, port: number): string {
  const directory = mkdtempSync(join(into, "portal-"));
  for (const name of ["keyring.json", "certificate.pem", "profile.json", "portal.db"]) copyFileSync(join(fixture.portal, name), join(directory, name));
  const settings = JSON.parse(readFileSync(join(fixture.portal, "portal.json"), "utf8")) as { port: number };
  writeFileSync(join(directory, "portal.json"), JSON.stringify({ ...settings, port }));
  return directory;
}

async function make(folder: string): Promise<void> {
  const portal = join(folder, "portal");
  await makePortalData(portal, { accounts: "open", domain: "example.com", host: "127.0.0.1", port: 1 });
  const local = await openLocal(portal);
  const { identity } = await openPortalData(portal);
  const accounts: Account[] = [];
  await all(AT_ONCE, async () => {
    while (accounts.length < ACCOUNTS) {
      const at = accounts.push(undefined as never) - 1;
      accounts[at] = await makeAccount(local.portal, identity.profile.payload, `user${at}@example.com`);
    }
  });
  writeFileSync(join(folder, "sessions.json"), JSON.stringify(accounts.map(({ session }) => ({ id: session.id, key: Buffer.from(session.requestKey).toString("base64url") }))));
  writeBatch(join(folder, "keys.bin"), accounts.map((one) => one.key));
  for (let round = 0; round < ROUNDS; round++) {
    const bodies: Uint8Array[] = [];
    let next = 0;
    await all(AT_ONCE, async () => {
      for (let at = next++; at < accounts.length; at = next++) bodies[at] = await nextUpdate(accounts[at] as Account);
    });
    writeBatch(join(folder, `round-${round}.bin`), bodies);
  }
  await local.close();
}

async function all(count: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, work));
}

/** The portal's identifier, which every request's MAC covers. */
export function portalId(fixture: Fixture): string {
  const profile = JSON.parse(readFileSync(join(fixture.portal, "profile.json"), "utf8")) as { payload: string };
  return (JSON.parse(Buffer.from(profile.payload, "base64url").toString()) as { id: string }).id;
}
