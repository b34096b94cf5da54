import type { ApplicationType } from "../../applications/index.ts";
import { fromBase64url } from "../../bytes/base64url.ts";
import { randomBytes } from "../../crypto/random.ts";
import { signObject } from "../../envelope/signed.ts";
import { applicationProfile } from "../../profiles/application.ts";
import { personalOf, withPersonal } from "../../profiles/mesh.ts";
import { MAX_APPLICATIONS } from "../../profiles/personal.ts";
import type { ApplicationId } from "../../profiles/types.ts";
import type { Part } from "../../protocol/parts.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { udfOf } from "../../udf/udf.ts";
import { type Client, signerOf } from "../client.ts";
import { unlessOvertaken } from "../overtaken.ts";
import { dueFrom, makeDue } from "../push.ts";
import { dueShares } from "../shares.ts";
import { pull, sync } from "../sync.ts";
import type { Synced } from "../synced.ts";
import { sealApplication } from "../tend-application.ts";
import { submit } from "./submit.ts";
import { nextPersonal, requireAdministrator } from "./versions.ts";

/**
 * Gives a mesh an application that not every mesh has (draft §5.3): on all its devices, those that are switched off too. Where it is set up already, nothing changes.
 *
 * A Personal Profile that lists it, its first epoch and its first profile are one batch. Returns whether this call set it up.
 * @throws MeshError `device-not-administrator`, `application-too-many`
 */
export async function setUpApplication(client: Client, type: ApplicationType): Promise<boolean> {
  const made = await unlessOvertaken(client, async () => {
    const synced = await pull(client);
    try {
      if ((await client.rows.read((rows) => rows.get("types", type))) !== undefined) return false;
      requireAdministrator(synced.mesh, synced.self);
      await setUp(client, synced, type);
      return true;
    } finally {
      synced.link.close();
    }
  });
  // Takes what was published, and what another device set up meanwhile.
  await sync(client);
  return made;
}

async function setUp(client: Client, synced: Synced, type: ApplicationType): Promise<void> {
  const { key, link, mesh, now, requester, self } = synced;
  const last = personalOf(mesh).payload;
  demand(last.applications.length < MAX_APPLICATIONS, "application-too-many", `Your mesh has ${last.applications.length} applications, as many as it can have.`);
  const id = udfOf("application/mmm-application", randomBytes(32)) as ApplicationId;
  const active = last.devices.filter((device) => device.status === "active");
  const everybody = active.map((device) => device.id);
  const entry = { administrators: active.filter((device) => device.role === "admin").map((device) => device.id), editors: everybody, id, readers: everybody };
  const personal = await nextPersonal(client, self, mesh, { applications: [...last.applications, entry], devices: last.devices });
  const grown = await withPersonal(mesh, personal, new Map(), now);
  const due = dueFrom(grown, self, id, undefined, now);
  demand(due !== undefined, "device-not-administrator", "This device does not administer the application that it sets up.");
  const begun = await makeDue(client, self, grown, id, undefined, due, key, now);
  const epochKey = begun.row.epochs[1]?.key;
  demand(epochKey !== undefined, "epoch-key-wrong", "This device did not get the key that it made.");
  const shares = await dueShares(grown, id, type, undefined);
  const place = { epoch: 1, id, version: 1 };
  const sealed = sealApplication({ ...(shares === undefined ? {} : { shares: [...shares] }), type, v: 1 }, fromBase64url(epochKey), place);
  const profile = await signObject(applicationProfile, { ...place, g: personal.payload.g, n: personal.payload.n, sealed, v: 1 }, signerOf(client.keyring, self.device));
  const parts: Part[] = [{ kind: "personal", object: personal.jws }, { kind: "application", object: profile.jws }, { kind: "commit", object: begun.sent.commit }];
  await submit(client, link, requester, { parts });
}
