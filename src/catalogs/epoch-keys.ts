import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { equalBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { content } from "../crypto/algorithms.ts";
import { hkdf } from "../crypto/digest.ts";
import { randomBytes } from "../crypto/random.ts";
import { keyedUnder, openKeyed } from "../envelope/keyed.ts";
import { type Decapsulator, openSealed, seal } from "../envelope/sealed.ts";
import type { DeviceProfile } from "../profiles/device.ts";
import { encapsulationKey } from "../profiles/keys.ts";
import type { DeviceId } from "../profiles/types.ts";
import { demand } from "../refusals/mesh-error.ts";
import { type Commit, type EpochCommit, type GrantCommit, wrapSubject } from "./commits.ts";

/** The keys of a catalog's epochs that this device holds, by epoch number. */
export type EpochKeys = ReadonlyMap<number, Uint8Array>;

/** Where a commit will stand. */
export type Place = Pick<Commit, "catalog" | "epoch" | "g" | "index" | "n"> & { readonly previous?: Commit["previous"] };

/**
 * Makes a fresh epoch key and the payload of the commit that begins its epoch; `previous` is the key of the epoch before.
 *
 * Whoever was given nothing that opens for the epoch before goes on from the last one, `previousEpoch`, of which it has the key.
 */
export async function beginEpoch(place: Place, readers: readonly DeviceProfile[], excluded: readonly DeviceId[], previous: Uint8Array | undefined, previousEpoch = place.epoch - 1): Promise<{ readonly key: Uint8Array; readonly payload: EpochCommit }> {
  const key = randomBytes(content.keyOctets);
  const wraps = await seal(wrapSubject(place.catalog, place.epoch), key, readers.map((device) => encapsulationKey(device.encryptionKey)));
  const stepped = previousEpoch === place.epoch - 1 ? {} : { previousEpoch };
  const chained = previous === undefined ? {} : { previousKey: keyedUnder(key, previousPurpose(place.catalog, previousEpoch), previous), ...stepped };
  return { key, payload: { ...place, ...chained, commitment: toBase64url(commitmentTo(key)), excluded: [...excluded].sort(), kind: "epoch", v: 1, wraps } };
}

/** Makes the payload of a commit that gives the current epoch's key to further readers. */
export async function grantEpoch(place: Place, key: Uint8Array, readers: readonly DeviceProfile[]): Promise<GrantCommit> {
  const wraps = await seal(wrapSubject(place.catalog, place.epoch), key, readers.map((device) => encapsulationKey(device.encryptionKey)));
  return { ...place, kind: "grant", v: 1, wraps };
}

/**
 * Takes the keys that an epoch or grant commit gives to this device; the keys before the current one follow from it.
 *
 * `commitments` are those of the epoch commits seen, by number; a key that is not the one committed to is refused with
 * `epoch-key-wrong`, so all readers of an epoch have one key.
 */
export async function takeKey(payload: Pick<EpochCommit | GrantCommit, "catalog" | "epoch" | "wraps">, commitment: string, key: Decapsulator): Promise<Uint8Array> {
  const opened = await openSealed(payload.wraps, wrapSubject(payload.catalog, payload.epoch), key);
  demand(opened.length === content.keyOctets && equalBytes(commitmentTo(opened), fromBase64url(commitment)), "epoch-key-wrong", `The key of epoch ${payload.epoch} is not the one that its commit names.`);
  return opened;
}

/** The epoch of which the key is under that of another one: the epoch before, unless it is said. */
export function previousEpochOf({ epoch, previousEpoch }: Pick<EpochCommit, "epoch" | "previousEpoch">): number {
  return previousEpoch ?? epoch - 1;
}

/** The key of an earlier epoch (`previousEpochOf`), from an epoch commit and its key. */
export function previousKey(payload: Pick<EpochCommit, "catalog" | "epoch" | "previousEpoch" | "previousKey">, key: Uint8Array, commitment: string): Uint8Array {
  const sealed = payload.previousKey;
  const before = previousEpochOf(payload);
  const opened = sealed === undefined ? undefined : openKeyed(key, previousPurpose(payload.catalog, before), sealed);
  demand(opened !== undefined && equalBytes(commitmentTo(opened), fromBase64url(commitment)), "epoch-key-wrong", `The key of epoch ${before} does not follow from that of epoch ${payload.epoch}.`);
  return opened;
}

function commitmentTo(key: Uint8Array): Uint8Array {
  return hkdf(key, new Uint8Array(0), utf8("mesh/epoch/commit/v1"), 64);
}

function previousPurpose(catalog: string, epoch: number): string {
  return `mesh/previous-epoch/v1/${catalog}/${epoch}`;
}
