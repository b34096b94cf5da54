import { commit } from "../../catalogs/commits.ts";
import { snapshot } from "../../catalogs/snapshot.ts";
import type { ObjectType, Signed } from "../../envelope/signed.ts";
import { account } from "../../profiles/account.ts";
import { applicationProfile } from "../../profiles/application.ts";
import { connectionAnswer, connectionRequest, pinNotice } from "../../profiles/connection.ts";
import { countersignature } from "../../profiles/countersignature.ts";
import { deviceProfile } from "../../profiles/device.ts";
import { masterProfile } from "../../profiles/master.ts";
import { personalProfile } from "../../profiles/personal.ts";
import { portalProfile } from "../../profiles/portal.ts";
import { suspension } from "../../profiles/suspension.ts";
import { blobDrop } from "../../protocol/blobs.ts";
import { release } from "../../protocol/releases.ts";

/** Every kind of signed object there is, by the name that people are shown; a test holds it to the types that the rooms declare. */
export const kinds = {
  "Master Profile": masterProfile,
  "Personal Profile": personalProfile,
  "Device Profile": deviceProfile,
  "Application Profile": applicationProfile,
  "Portal Profile": portalProfile,
  account,
  suspension,
  countersignature,
  "connection request": connectionRequest,
  "connection answer": connectionAnswer,
  "PIN notice": pinNotice,
  commit,
  "blob drop": blobDrop,
  snapshot,
  release,
} as const satisfies Readonly<Record<string, ObjectType<unknown>>>;

export type KindName = keyof typeof kinds;

/** What is signed in a kind of object. */
export type PayloadOf<K extends KindName> = (typeof kinds)[K] extends ObjectType<infer P> ? P : never;

/** A signed object of any kind, told apart by `kind`; its signature was not looked at. */
export type Read = { [K in KindName]: { readonly kind: K; readonly signed: Signed<PayloadOf<K>> } }[KindName];

/** The kind of a `typ`, if there is one. */
export function kindOf(typ: string): KindName | undefined {
  return (Object.keys(kinds) as KindName[]).find((name) => kinds[name].typ === typ);
}
