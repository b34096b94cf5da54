import { toBase64url } from "../bytes/base64url.ts";
import { sha512 } from "../crypto/digest.ts";
import { generateLogKey, type LogAlgorithm } from "../crypto/log-key.ts";
import type { Digest } from "../envelope/fields.ts";
import { type Udf, udfOf } from "../udf/udf.ts";
import { utf8 } from "../bytes/text.ts";
import { type Checkpoint, writeCheckpoint } from "./checkpoint.ts";
import { sealEntry } from "./commitment.ts";
import { type NoteSigner, signNote } from "./cosignature.ts";
import { closedEpoch, type ClosedEpoch, type MapLabel, writeCurrencyProof } from "./currency.ts";
import { type PublicEntry, type SealedKind, writeEntry } from "./entry.ts";
import type { LogPolicy } from "./log-policy.ts";
import { mapKey, type MapLeaf } from "./map.ts";
import { MapLeaves } from "./map-leaves.ts";
import { leafHash } from "./merkle.ts";
import { writeNote } from "./note.ts";
import { PrefixMap } from "./prefix-map.ts";
import { closeEpoch, type Standing } from "./epoch.ts";
import { TestLog } from "./test-log.ts";
import { EMPTY_TREE, rootOf } from "./tree.ts";
import { type SignatureType, verifierKey } from "./verifier-key.ts";

/** The identifier of a made-up person. */
export function idOf(person: number): Udf<"master"> {
  return udfOf("text/plain", utf8(`person ${person}`));
}

function signer(name: string, type: SignatureType, algorithm: LogAlgorithm): NoteSigner {
  const key = generateLogKey(algorithm);
  return { key: verifierKey(name, type, key.publicKey), sign: (message) => key.sign(message) };
}

/** A portal's notary in memory, honest: entries go in, epochs are closed, proofs come out. */
export class TestNotary {
  readonly origin = "portal.example/mesh/1";
  readonly signers: readonly [NoteSigner, NoteSigner] = [signer(this.origin, "note", "ed25519"), signer(this.origin, "subtree/v1", "mlDsa44")];
  readonly cosigners: readonly NoteSigner[];
  readonly log = new TestLog();
  readonly map = new PrefixMap();
  readonly entries: Uint8Array[] = [];
  readonly #leaves = new MapLeaves();
  readonly #newest = new Map<string, PublicEntry>();
  #standing: Omit<Standing, "map"> = { tree: EMPTY_TREE, epoch: undefined };
  #closed: ClosedEpoch | undefined;

  private constructor(cosigners: number) {
    this.cosigners = Array.from({ length: cosigners }, (_, at) => signer(`cosigner.example/${at}`, at % 2 === 0 ? "cosignature/v1" : "subtree/v1", at % 2 === 0 ? "ed25519" : "mlDsa44"));
  }

  static async open({ cosigners = 0 } = {}): Promise<TestNotary> {
    return new TestNotary(cosigners);
  }

  get size(): number {
    return this.log.tree.size;
  }

  get checkpoint(): Uint8Array {
    return this.closed.checkpoint;
  }

  get closed(): ClosedEpoch {
    if (this.#closed === undefined) throw new RangeError("no epoch was closed");
    return this.#closed;
  }

  policy(others: Partial<LogPolicy> = {}): LogPolicy {
    return { origin: this.origin, logKeys: this.signers.map(({ key }) => key), cosigners: this.cosigners.map(({ key }) => key), quorum: 0, freshSeconds: 600, ...others };
  }

  /** The first Master and Personal Profile of somebody. */
  create(id: Udf<"master">): void {
    this.#public({ id, k: "master", len: 8000, n: 1, obj: this.#digest(), v: 1 });
    this.#public({ g: 1, id, k: "personal", len: 9000, n: 1, obj: this.#digest(), v: 1 });
  }

  /** The next version of somebody's Personal Profile. */
  personal(id: Udf<"master">): void {
    const before = this.#newest.get(`personal ${id}`);
    if (before?.k !== "personal") throw new RangeError("nobody has this identifier");
    this.#public({ ...before, n: before.n + 1, obj: this.#digest(), prev: before.obj });
  }

  suspend(id: Udf<"master">): void {
    const before = this.#newest.get(`suspension ${id}`);
    this.#public({ id, k: "suspension", len: 6000, n: (before?.n ?? 0) + 1, obj: this.#digest(), ...(before === undefined ? {} : { prev: before.obj }), v: 1 });
  }

  sealed(kind: SealedKind): void {
    this.add(writeEntry(sealEntry(kind, { salt: sha512(utf8(String(this.size))).slice(0, 32), content: { about: kind } })));
  }

  /** Appends an entry as it is, however wrong. */
  add(entry: Uint8Array): void {
    this.entries.push(entry);
    this.log.append([leafHash(entry)]);
  }

  /** Closes an epoch at a time in seconds. */
  async close(seconds: number): Promise<Checkpoint> {
    const { epoch, entry, before, tree } = await closeEpoch({ ...this.#standing, map: this.map }, this.entries.slice(this.#standing.tree.size), { put: this.#put, bucket: this.#leaves.bucket }, seconds * 1000);
    this.add(entry);
    this.#standing = { tree, epoch };
    const checkpoint: Checkpoint = { origin: this.origin, size: this.size, root: rootOf(this.log.tree), extensions: [] };
    const text = writeCheckpoint(checkpoint);
    const signatures = await Promise.all([...this.signers, ...this.cosigners].map((one) => signNote(one, text, seconds)));
    this.#closed = closedEpoch(epoch, before, writeNote({ text, signatures }));
    return checkpoint;
  }

  async prove(label: MapLabel): Promise<Uint8Array> {
    return writeCurrencyProof(label, await this.map.prove(mapKey(label.kind, label.id), this.#leaves.bucket), this.closed);
  }

  readonly #put = async (leaf: MapLeaf): Promise<void> => this.#leaves.add([leaf]);

  #public(entry: PublicEntry): void {
    this.#newest.set(`${entry.k} ${entry.id}`, entry);
    this.add(writeEntry(entry));
  }

  #digest(): Digest {
    return toBase64url(sha512(utf8(`object ${this.size}`))) as Digest;
  }
}
