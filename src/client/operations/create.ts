import { applications } from "../../applications/index.ts";
import { wipe } from "../../bytes/equal.ts";
import { authorityOf } from "../../catalogs/chain.ts";
import { commit as commitType } from "../../catalogs/commits.ts";
import { sealChanges } from "../../catalogs/entries.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { beginEpoch } from "../../catalogs/epoch-keys.ts";
import { change } from "../../catalogs/merge.ts";
import { toBase64url } from "../../bytes/base64url.ts";
import { generateDecapsulationKey, generateSigningKey } from "../../crypto/key-pair.ts";
import { randomBytes } from "../../crypto/random.ts";
import { readShape } from "../../envelope/shape.ts";
import { signObject } from "../../envelope/signed.ts";
import type { Keyring } from "../../keyring/keyring.ts";
import { account as accountType } from "../../profiles/account.ts";
import { applicationProfile } from "../../profiles/application.ts";
import { deviceNameField } from "../../profiles/connection.ts";
import { encapsulationJwk, signatureJwk } from "../../profiles/keys.ts";
import { masterProfile } from "../../profiles/master.ts";
import { emptyMesh, withMaster, withPersonal } from "../../profiles/mesh.ts";
import { personalProfile } from "../../profiles/personal.ts";
import type { ApplicationId, MasterId } from "../../profiles/types.ts";
import { createAccount } from "../../protocol/accounts.ts";
import type { RequestOf } from "../../protocol/command.ts";
import type { Part } from "../../protocol/parts.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { udfOf, udfOfKey } from "../../udf/udf.ts";
import type { CatalogType } from "../catalog.ts";
import { type Client, type Self, signerOf } from "../client.ts";
import { type DeviceKeys, makeDeviceKeys, secretDecapsulation, secretSigning } from "../keys.ts";
import { meetPortal, pinOf, type PortalLink } from "../portal-link.ts";
import { isUnproven } from "../proven.ts";
import { sync } from "../sync.ts";
import { sealApplication } from "../tend-application.ts";

/** What a new mesh is: its address, the UDF of its Master Profile, and this device. */
export type Created = { readonly address: string; readonly fingerprint: MasterId; readonly device: { readonly name: string; readonly fingerprint: string } };

/** What the person decides. */
export type CreateOptions = { readonly address: string; readonly portal: { readonly url: string; readonly pin?: string }; readonly deviceName: string; readonly invitation?: string };

const TYPES: readonly CatalogType[] = ["devices", "administration", ...applications.filter((one) => one.everywhere).map((one) => one.type)];

/**
 * Makes a mesh with this device as its first administration device, and its account at a portal (draft §3.1, §6).
 *
 * Everything is written at home before it is sent; cut off at any point, the same call goes on where it was. `master` is
 * the sealed file of its own in which Master, Recovery and escrow keys lie until they are escrowed.
 */
export async function createMesh(client: Client, master: Keyring, options: CreateOptions): Promise<Created> {
  readShape(deviceNameField, options.deviceName, "device-name-malformed", "device name");
  const link = await meetPortal(client, options.portal.url, options.portal.pin);
  try {
    const { begun, pending } = await client.rows.read(async (rows) => ({ begun: await rows.get<Self>("self", "self"), pending: await isUnproven(rows) }));
    demand(begun === undefined || pending, "home-exists", "This device already belongs to a mesh.", "Choose another home with MESH_HOME.");
    if (begun === undefined) await prepare(client, master, link, options);
    const { self, request } = await client.rows.read(async (rows) => ({ self: await rows.get<Self>("self", "self"), request: await rows.get<RequestOf<typeof createAccount>>("creating", "creating") }));
    demand(self !== undefined && request !== undefined && self.address === options.address, "home-exists", `This device is creating ${self?.address ?? "another address"}.`, "Run `mesh create` with that address again, or choose another home with MESH_HOME.");
    await askFor(client, master, link, { ...request, ...(options.invitation === undefined ? {} : { invitation: options.invitation }) });
    // What was sent is kept until the portal shows it: one that drops it is given it again.
    await client.rows.transact((rows) => rows.put("self", "self", "", { ...self, state: "connected" } satisfies Self));
    await sync(client);
    return { address: self.address, fingerprint: self.master, device: { name: self.name, fingerprint: self.device } };
  } finally {
    link.close();
  }
}

/** What a portal will never grant, however often it is asked. */
const HOPELESS: ReadonlySet<string> = new Set(["account-name-taken", "account-name-reserved", "account-name-malformed", "account-wrong-portal"]);

/** Asks for the account; a name that cannot be had is forgotten with all that was made for it, so that the person may choose another. */
async function askFor(client: Client, master: Keyring, link: PortalLink, request: RequestOf<typeof createAccount>): Promise<void> {
  try {
    await link.ask(createAccount, request);
  } catch (error) {
    if (!(error instanceof MeshError) || !HOPELESS.has(error.code)) throw error;
    await client.rows.transact(async (rows) => {
      for (const row of ["self", "creating"]) await rows.remove(row, row, "");
    });
    for (const keyring of [client.keyring, master]) for (const { id } of await keyring.list()) await keyring.remove(id);
    throw error;
  }
}

/** Makes all keys and signs the whole first state; nothing has been sent when this returns. */
async function prepare(client: Client, master: Keyring, link: PortalLink, { address, portal, deviceName }: CreateOptions): Promise<void> {
  const keys = await makeDeviceKeys(client.keyring);
  const [masterKey, recoveryKey, escrowKey] = [generateSigningKey(), generateSigningKey(), generateDecapsulationKey()];
  const secrets = [secretSigning("master-signature", masterKey), secretSigning("recovery-signature", recoveryKey), secretDecapsulation("master-escrow", escrowKey)];
  await master.addAll(secrets);
  for (const { secret } of secrets) wipe(secret);
  const id = udfOfKey(masterKey.publicKey.spki) as MasterId;
  const first = await signObject(
    masterProfile,
    { administrationKeys: [keys.administration], escrowKeys: [encapsulationJwk(escrowKey.publicKey)], id, recoveryKey: signatureJwk(recoveryKey.publicKey), signatureKey: signatureJwk(masterKey.publicKey), v: 1, version: 1 },
    signerOf(master, id),
  );
  const administrator = signerOf(client.keyring, keys.administrationKey);
  const ids = TYPES.map(() => udfOf("application/mmm-application", randomBytes(32)) as ApplicationId);
  const mine = { administrators: [keys.device], editors: [keys.device], readers: [keys.device] };
  const personal = await signObject(
    personalProfile,
    { applications: ids.map((application) => ({ ...mine, id: application })), devices: [{ digest: keys.profile.digest, id: keys.device, role: "admin", status: "active" }], g: 1, heads: [], home: pinOf(link), id, master: first.digest, n: 1, suspensions: [], v: 1 },
    administrator,
  );
  const account = await signObject(accountType, { address, master: id, portal: pinOf(link), status: "open", v: 1, version: 1 }, administrator);
  const parts: Part[] = [{ kind: "master", object: first.jws }, { kind: "device", object: keys.profile.jws }, { kind: "personal", object: personal.jws }];
  for (const [index, type] of TYPES.entries()) parts.push(...(await firstOfApplication(client, keys, ids[index] as ApplicationId, type, deviceName)));
  // Judged here as the portal and every device will judge it.
  const mesh = await withMaster(emptyMesh(id), first);
  authorityOf(await withPersonal(mesh, personal, new Map([[keys.device as string, keys.profile]]), client.now()), client.now());
  const self: Self = { address, administrationEncryptionKey: keys.administrationEncryptionKey, administrationKey: keys.administrationKey, authenticationKey: keys.authenticationKey, device: keys.device, encryptionKey: keys.encryptionKey, master: id, name: deviceName, portal: { id: pinOf(link), url: portal.url }, state: "creating" };
  await client.rows.transact(async (rows) => {
    await rows.put("creating", "creating", "", { account: account.jws, parts });
    await rows.put("self", "self", "", self);
  });
}

/** The first epoch of an application's catalog, its profile under that epoch, and in the catalog of devices this device's name. */
async function firstOfApplication(client: Client, keys: DeviceKeys, id: ApplicationId, type: CatalogType, name: string): Promise<Part[]> {
  const signer = signerOf(client.keyring, keys.device);
  const place = { catalog: id, epoch: 1, g: 1, index: 1, n: 1 };
  const begun = await beginEpoch(place, [keys.profile.payload], [], undefined);
  const epoch = await signObject(commitType, begun.payload, signer);
  const sealed = sealApplication({ type, v: 1 }, begun.key, { epoch: 1, id, version: 1 });
  const profile = await signObject(applicationProfile, { epoch: 1, g: 1, id, n: 1, sealed, v: 1, version: 1 }, signer);
  const parts: Part[] = [{ kind: "application", object: profile.jws }, { kind: "commit", object: epoch.jws }];
  if (type === "devices") {
    const { payload, body } = sealChanges({ ...place, index: 2, previous: epoch.digest }, begun.key, [change(newEntryId(), undefined, { device: keys.device, name })]);
    parts.push({ body: toBase64url(body), kind: "commit", object: (await signObject(commitType, payload, signer)).jws });
  }
  wipe(begun.key);
  return parts;
}
