import { type Commit, commit as commitType } from "../catalogs/commits.ts";
import { readJws, type Signed } from "../envelope/signed.ts";
import { type ApplicationProfile, applicationProfile } from "../profiles/application.ts";
import { type PinNotice, pinNotice } from "../profiles/connection.ts";
import { type Countersignature, countersignature } from "../profiles/countersignature.ts";
import { type DeviceProfile, deviceProfile } from "../profiles/device.ts";
import { type MasterProfile, masterProfile } from "../profiles/master.ts";
import { deviceEntry, type PersonalProfile, personalProfile } from "../profiles/personal.ts";
import { type Suspension, suspension } from "../profiles/suspension.ts";
import type { Part } from "../protocol/parts.ts";
import type { View } from "./view.ts";

/** A part whose objects were read; nothing in it is verified yet. */
export type ReadPart =
  | { readonly kind: "master"; readonly signed: Signed<MasterProfile>; readonly consent: Signed<Countersignature> | undefined }
  | { readonly kind: "personal"; readonly signed: Signed<PersonalProfile> }
  | { readonly kind: "device"; readonly signed: Signed<DeviceProfile> }
  | { readonly kind: "application"; readonly signed: Signed<ApplicationProfile> }
  | { readonly kind: "suspension"; readonly signed: Signed<Suspension> }
  | { readonly kind: "pin"; readonly signed: Signed<PinNotice> }
  | { readonly kind: "commit"; readonly signed: Signed<Commit>; readonly body: string | undefined };

/** Reads the objects of a part; refuses with `signed-malformed`. */
export function readPart(part: Part): ReadPart {
  switch (part.kind) {
    case "master":
      return { kind: "master", signed: readJws(part.object, masterProfile), consent: part.countersignature === undefined ? undefined : readJws(part.countersignature, countersignature) };
    case "personal":
      return { kind: "personal", signed: readJws(part.object, personalProfile) };
    case "device":
      return { kind: "device", signed: readJws(part.object, deviceProfile) };
    case "application":
      return { kind: "application", signed: readJws(part.object, applicationProfile) };
    case "suspension":
      return { kind: "suspension", signed: readJws(part.object, suspension) };
    case "pin":
      return { kind: "pin", signed: readJws(part.object, pinNotice) };
    case "commit":
      return { kind: "commit", signed: readJws(part.object, commitType), body: part.body };
  }
}

/**
 * Whether parts can only be judged by somebody who knows the mesh's past: all but what follows at once on what stands now.
 *
 * Where anybody was ever suspended, who is so today follows from all that was ever published.
 */
export function needsPast(view: View, parts: readonly ReadPart[]): boolean {
  return view.record.suspensions > 0 || !parts.every((part) => followsAtOnce(view, part));
}

function followsAtOnce({ personal }: View, part: ReadPart): boolean {
  const { payload, digest } = personal.profile;
  switch (part.kind) {
    case "personal": {
      const next = part.signed.payload;
      // A device that is new here may have been listed before, under another Master Profile.
      return part.signed.digest === digest || (next.g === payload.g && next.n > payload.n && next.devices.every((device) => deviceEntry(payload, device.id) !== undefined));
    }
    case "commit":
      // Epochs and grants are judged by the keys of all their readers.
      return part.signed.payload.kind === "entries";
    case "application":
    case "pin":
      return true;
    case "master":
    case "device":
    case "suspension":
      return false;
  }
}
