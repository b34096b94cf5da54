import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { readSigned, type Signed, type Verified } from "../envelope/signed.ts";
import { demand } from "../refusals/mesh-error.ts";
import { account } from "./account.ts";
import { type Countersignature, countersignature } from "./countersignature.ts";
import { type DeviceProfile, deviceProfile } from "./device.ts";
import { masterProfile } from "./master.ts";
import { emptyMesh, masterOf, type Mesh, missingSuspensions, suspendedIn, withMaster, withPersonal, withSuspension } from "./mesh.ts";
import { personalProfile } from "./personal.ts";
import { rosterOf } from "./roster.ts";
import { suspension } from "./suspension.ts";
import { outcome } from "./test-mesh.ts";
import { correctAccount, verifyDevice } from "./validity.ts";

type Vector = { readonly about: string; readonly steps: readonly string[]; readonly outcome: string; readonly at?: number; readonly suspended?: readonly string[] };
type Known = { mesh: Mesh; readonly offered: Map<string, Verified<DeviceProfile>>; consent: Signed<Countersignature> | undefined };

const objects = readVectors<Readonly<Record<string, { readonly kind: string; readonly arrived?: number; readonly text: string }>>>("profiles/objects.json");
const id = readSigned(utf8(objects["master-1"]?.text ?? ""), masterProfile).payload.id;

async function take(known: Known, name: string): Promise<void> {
  const { kind, text, arrived = 0 } = objects[name] ?? assert.fail(name);
  const octets = utf8(text);
  switch (kind) {
    case "master":
      known.mesh = await withMaster(known.mesh, readSigned(octets, masterProfile), known.consent);
      return;
    case "countersignature":
      known.consent = readSigned(octets, countersignature);
      return;
    case "device": {
      const device = await verifyDevice(readSigned(octets, deviceProfile));
      known.offered.set(device.payload.id, device);
      return;
    }
    case "personal": {
      const personal = readSigned(octets, personalProfile);
      demand(missingSuspensions(known.mesh, personal.payload).length === 0, "portal-missing-profile", "withheld");
      known.mesh = await withPersonal(known.mesh, personal, known.offered, arrived);
      return;
    }
    case "suspension":
      known.mesh = await withSuspension(known.mesh, readSigned(octets, suspension), arrived);
      return;
    case "account":
      await correctAccount(readSigned(octets, account), rosterOf(masterOf(known.mesh)), undefined);
      return;
    default:
      assert.fail(kind);
  }
}

for (const folder of ["valid", "invalid"]) {
  suite(`vectors/profiles/${folder} (draft §5.4, decision 4)`, () => {
    const files = readdirSync(join(import.meta.dirname, "../../vectors/profiles", folder)).filter((name) => name.endsWith(".json"));
    for (const file of files.sort()) {
      const vector = readVectors<Vector>(`profiles/${folder}/${file}`);
      test(`${vector.about}: ${vector.outcome}`, async () => {
        const known: Known = { mesh: emptyMesh(id), offered: new Map(), consent: undefined };
        for (const step of vector.steps.slice(0, -1)) await take(known, step);
        assert.equal(await outcome(() => take(known, vector.steps.at(-1) ?? "")), vector.outcome);
        if (vector.suspended !== undefined) assert.deepEqual([...suspendedIn(known.mesh, vector.at ?? 0).keys()].sort(), vector.suspended);
      });
    }
  });
}
