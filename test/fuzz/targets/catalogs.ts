import { toBase64url } from "../../../src/bytes/base64url.ts";
import { canonicalJson, type Json } from "../../../src/bytes/canonical-json.ts";
import { equalBytes } from "../../../src/bytes/equal.ts";
import type { EntriesCommit } from "../../../src/catalogs/commits.ts";
import { changesBytes, openChanges, pad, unpad } from "../../../src/catalogs/entries.ts";
import { type Entry, merge } from "../../../src/catalogs/merge.ts";
import { packEntries, unpackEntries } from "../../../src/catalogs/packing.ts";
import { openPiece, openRoot, sealPieces, sealRoot } from "../../../src/catalogs/snapshot.ts";
import { encryptUnder } from "../../../src/envelope/keyed.ts";
import { digestOf } from "../../../src/envelope/signed.ts";
import { udfOf } from "../../../src/udf/udf.ts";
import { hold, octets, type Target } from "../target.ts";

const catalog = udfOf<"application">("application/test", new Uint8Array(7));
const [one, two] = [udfOf("application/test", new Uint8Array(8)), udfOf("application/test", new Uint8Array(9))];
const key = new Uint8Array(32).fill(6);
const jsonRefusals = ["json-malformed", "json-too-deep", "json-not-canonical", "json-duplicate-member", "json-too-large"] as const;

/** What an author who has the key of the epoch may have put into a commit. */
export const entries: Target = {
  name: "entries",
  files: ["catalogs/entries.ts", "catalogs/merge.ts", "catalogs/packing.ts", "catalogs/commits.ts"],
  seeds: () => ['{"changes":[{"entry":"AAAAAAAAAAAAAAAAAAAAAA","fields":{"name":[1,"a"],"removed":[2,true]}},{"entry":"AAAAAAAAAAAAAAAAAAAAAA","fields":{"name":[1,{"b":[null]}]}}],"v":1}', `{"changes":[{"entry":"AAAAAAAAAAAAAAAAAAAAAA","fields":{"name":[1,"a"]}},{"entry":"AAAAAAAAAAAAAAAAAAAAAA","fields":{},"purge":{"blobs":["${toBase64url(new Uint8Array(64))}"],"fields":{"name":{"${one}":1}}}}],"v":1}`, '{"changes":[],"v":1}'].map(octets),
  words: ["changes", "entry", "fields", "purge", "blobs", one, two, "name", "removed", "constructor", "__proto__", "AAAAAAAAAAAAAAAAAAAAAA", "AQAAAAAAAAAAAAAAAAAAAA", "9007199254740991"],
  refusals: ["entries-malformed", "commit-wrong-body", ...jsonRefusals],
  run: (input) => {
    hold(equalBytes(unpad(pad(input)) ?? new Uint8Array(1), input), "what is padded is unpadded the same");
    const { ciphertext, salt } = encryptUnder(key, `mesh/entries/v1/${catalog}/1`, pad(input));
    const payload: EntriesCommit = { catalog, digest: digestOf(ciphertext), epoch: 1, g: 1, index: 1, kind: "entries", n: 1, salt: toBase64url(salt), size: ciphertext.length, v: 1 };
    const changes = openChanges(payload, ciphertext, key);
    hold(equalBytes(changesBytes(changes), input), "changes have one spelling");
    const grown = (order: readonly (readonly [number, string])[]): string => {
      const all = new Map<string, Entry>();
      for (const [at, author] of order) {
        const change = changes[at];
        if (change !== undefined) all.set(change.entry, merge(all.get(change.entry), change, author, at + 1));
      }
      const packed = unpackEntries(packEntries(all.values()));
      hold(canonicalJson(packed as unknown as Json) === canonicalJson([...all.values()] as unknown as Json), "entries that are packed come back");
      return canonicalJson(Object.fromEntries([...all].map(([id, { fields, purges = [] }]) => [id, { fields, purges }])) as unknown as Json);
    };
    const order = changes.slice(0, 40).flatMap((_, at) => [[at, one], [at, two]] as const);
    hold(grown(order) === grown(order.toReversed()), "entries are the same in whatever order writes come");
  },
};

/** What an editor may have put into the pieces of a snapshot. */
export const snapshots: Target = {
  name: "snapshot",
  files: ["catalogs/snapshot.ts", "catalogs/packing.ts"],
  seeds: () => [
    { authors: [one], entries: [{ id: "AAAAAAAAAAAAAAAAAAAAAA", fields: { name: [[2, 0, 3, "a"], [1, 0, 1, null]] } }], v: 1 },
    { authors: [one], entries: [{ id: "AAAAAAAAAAAAAAAAAAAAAA", fields: { removed: [[1, 0, 2, true]] }, purges: [{ author: two, blobs: [], commit: 3, fields: { name: { [one]: 1 } } }] }], v: 1 },
    { apart: [{ digest: toBase64url(new Uint8Array(64)), epoch: 2, salt: toBase64url(new Uint8Array(32)), size: 2 }], epochs: { 1: { commitment: toBase64url(new Uint8Array(64)) } }, pieces: [{ digest: toBase64url(new Uint8Array(64)), epoch: 1, salt: toBase64url(new Uint8Array(32)), size: 1 }], v: 1 },
  ].map((value) => octets(canonicalJson(value))),
  words: ["authors", "entries", "id", "fields", "purges", "blobs", "author", "commit", "apart", "epochs", "pieces", "commitment", "previousKey", "previousEpoch", one, two, "name", "constructor", "__proto__"],
  refusals: ["snapshot-malformed", "entries-malformed", ...jsonRefusals],
  run: (input) => {
    const named = (part: string) => {
      const { ciphertext, salt } = encryptUnder(key, `mesh/snapshot/v1/${part}/${catalog}/1`, pad(input));
      return { blob: ciphertext, named: { digest: digestOf(ciphertext), epoch: 1, salt: toBase64url(salt), size: ciphertext.length } };
    };
    if (input.includes(0x70, 2) && new TextDecoder().decode(input).includes('"pieces"')) {
      const { blob, named: root } = named("root");
      const { apart, epochs, pieces } = openRoot({ catalog, epoch: 1, root }, key, blob);
      const again = sealRoot(catalog, 1, key, { apart, epochs, pieces });
      hold(canonicalJson(openRoot({ catalog, epoch: 1, root: again.named }, key, again.blob) as unknown as Json) === new TextDecoder().decode(input), "a list of pieces is written as it is read");
      return;
    }
    const { blob, named: piece } = named("piece");
    const last = { catalog, index: Number.MAX_SAFE_INTEGER };
    const read = openPiece(last, piece, key, blob);
    const again = sealPieces(catalog, 1, key, read).flatMap((made) => openPiece(last, made.named, key, made.blob));
    const text = (list: readonly Entry[]): string => canonicalJson(list.toSorted((a, b) => (a.id < b.id ? -1 : 1)) as unknown as Json);
    if (new Set(read.map(({ id }) => id)).size === read.length) hold(text(again) === text(read), "entries that are read can be kept again");
  },
};
