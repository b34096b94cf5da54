import { concatBytes } from "../bytes/equal.ts";
import { toBase64url } from "../bytes/base64url.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { demand } from "../refusals/mesh-error.ts";
import { compactUdf, expandUdf, type Udf } from "../udf/udf.ts";
import { type EpochEntry, writeEntry } from "./entry.ts";
import { type LogPolicy, trustCheckpoint, type TrustedCheckpoint } from "./log-policy.ts";
import { type MapKind, mapKey, mapKinds, type MapValue } from "./map.ts";
import { type MapProof, readMapProof, rootFromProof, valueIn, writeMapProof } from "./map-proof.ts";
import { leafHash } from "./merkle.ts";
import { OctetReader, uint64 } from "./octets.ts";
import { endOfTlogProof, joinTlogProof, readTlogProof } from "./tlog-proof.ts";
import { lastLeafProof } from "./prove.ts";
import type { Tree } from "./tree.ts";
import { verifyInclusion } from "./verify.ts";

/** Whose newest what is asked for. */
export type MapLabel = { readonly kind: MapKind; readonly id: Udf<"master"> };

/** The end of a log as a portal knows it: its last epoch leaf, the signed checkpoint after it, and what all proofs under that checkpoint end with. */
export type ClosedEpoch = { readonly epoch: EpochEntry; readonly checkpoint: Uint8Array; readonly end: Uint8Array };

/** The end of a log, given the tree before its last epoch leaf. The leaf's audit path is that tree's peaks: no tile is read and nothing hashed. */
export function closedEpoch(epoch: EpochEntry, before: Tree, checkpoint: Uint8Array): ClosedEpoch {
  return { epoch, checkpoint, end: endOfTlogProof({ index: before.size, path: lastLeafProof(before), checkpoint }) };
}

/** What a proof of currency shows: what was the newest when the log's epoch was closed; no value where there was nothing. */
export type Currency = { readonly label: MapLabel; readonly value: MapValue | undefined; readonly epoch: EpochEntry; readonly checkpoint: TrustedCheckpoint };

const FORMAT = 1;
const ID_OCTETS = 52;

/** Writes a proof of what is current (decision 8.6): a tlog-proof of the epoch leaf at the log's end, whose `extra` is the way through the map to which that leaf commits. */
export function writeCurrencyProof(label: MapLabel, proof: MapProof, { epoch, end }: ClosedEpoch): Uint8Array {
  const head = [Uint8Array.of(FORMAT, mapKinds.indexOf(label.kind) + 1), utf8(compactUdf(label.id)), uint64(epoch.n), uint64(epoch.t)];
  return joinTlogProof(concatBytes(...head, writeMapProof(mapKey(label.kind, label.id), proof)), end);
}

/**
 * Checks a proof of what is current, against whoever must vouch for the log and the time in seconds.
 *
 * `log-proof-malformed`; those of {@link trustCheckpoint}; `log-proof-false` if map, epoch leaf and checkpoint do not belong together, or the epoch leaf is not the log's last.
 */
export function checkCurrencyProof(octets: Uint8Array, policy: LogPolicy, now: number): Currency {
  const proof = readTlogProof(octets);
  const found = proof.extra === undefined ? undefined : readExtra(proof.extra);
  demand(found !== undefined, "log-proof-malformed", "This is no proof of what is current: it holds no way through a map.");
  const { label, n, t, way } = found;
  const checkpoint = trustCheckpoint(proof.checkpoint, policy, now);
  const key = mapKey(label.kind, label.id);
  const root = rootFromProof(key, way);
  demand(root !== undefined, "log-proof-false", "This proof's way through the map is not the way of its identifier.");
  // The leaf is not sent: what it must be follows from the map's root.
  const epoch: EpochEntry = { k: "epoch", map: toBase64url(root), n, t, v: 1 };
  const isLast = proof.index === checkpoint.size - 1;
  const included = verifyInclusion(leafHash(writeEntry(epoch)), proof.index, checkpoint.size, checkpoint.root, proof.path);
  demand(isLast && included, "log-proof-false", "This proof does not lead to the checkpoint that it comes with.");
  return { label, value: valueIn(key, way), epoch, checkpoint };
}

function readExtra(extra: Uint8Array): { readonly label: MapLabel; readonly n: number; readonly t: number; readonly way: MapProof } | undefined {
  const reader = new OctetReader(extra);
  const [format, kind, id, n, t] = [reader.uint(1), reader.uint(1), reader.take(ID_OCTETS), reader.uint(8), reader.uint(8)];
  const label = { kind: mapKinds[(kind ?? 0) - 1], id: idOf(id) };
  if (format !== FORMAT || label.kind === undefined || label.id === undefined || n === undefined || t === undefined) return undefined;
  const way = readMapProof(mapKey(label.kind, label.id), reader);
  return way === undefined || !reader.isAtEnd ? undefined : { label: label as MapLabel, n, t, way };
}

function idOf(octets: Uint8Array | undefined): Udf<"master"> | undefined {
  try {
    return octets === undefined ? undefined : expandUdf(fromUtf8(octets));
  } catch {
    return undefined;
  }
}
