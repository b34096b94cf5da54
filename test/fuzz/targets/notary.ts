import { equalBytes } from "../../../src/bytes/equal.ts";
import { fromUtf8, utf8 } from "../../../src/bytes/text.ts";
import { readVectors } from "../../../src/crypto/test-vectors.ts";
import { readBundle, writeBundle } from "../../../src/notary/bundles.ts";
import { readCheckpoint, writeCheckpoint } from "../../../src/notary/checkpoint.ts";
import { checkCurrencyProof } from "../../../src/notary/currency.ts";
import { readEntry, writeEntry } from "../../../src/notary/entry.ts";
import { readEvidence, writeEvidence } from "../../../src/notary/evidence.ts";
import type { LogPolicy } from "../../../src/notary/log-policy.ts";
import { readMapProof, rootFromProof, writeMapProof } from "../../../src/notary/map-proof.ts";
import { readNote, writeNote } from "../../../src/notary/note.ts";
import { OctetReader } from "../../../src/notary/octets.ts";
import { bundlePath, parseTilePath, tilePath } from "../../../src/notary/tiles.ts";
import { readTlogProof, writeTlogProof } from "../../../src/notary/tlog-proof.ts";
import { readVerifierKey, writeVerifierKey } from "../../../src/notary/verifier-key.ts";
import { readAddCheckpoint, writeAddCheckpoint } from "../../../src/notary/witness.ts";
import { hold, octets, refusalOf, type Target, text } from "../target.ts";

const { specExamples: examples } = readVectors<{ readonly specExamples: Readonly<Record<string, readonly string[]>> }>("tlog/c2sp-notes.json");
const { vectors: cosigned } = readVectors<{ readonly vectors: readonly { readonly vkey: string; readonly checkpoint: string }[] }>("tlog/cosignature-ed25519.json");
const texts = (name: string): readonly Uint8Array[] => (examples[name] ?? []).map(octets);

/** Notes, the checkpoints in them, keys, and requests to be cosigned: whatever reads is written the same. */
export const note: Target = {
  name: "note",
  files: ["notary/note.ts", "notary/checkpoint.ts", "notary/verifier-key.ts", "notary/witness.ts"],
  seeds: () => [...texts("signed-note"), ...texts("tlog-checkpoint"), ...texts("tlog-cosignature"), ...texts("tlog-witness"), ...cosigned.map(({ checkpoint }) => octets(checkpoint)), ...cosigned.map(({ vkey }) => octets(vkey))],
  words: ["\n\n", "\u2014 ", "old 0", "0\n", "+", "=", "\u3000", "\r", "18446744073709551615", "9007199254740992"],
  refusals: ["note-malformed"],
  run: (input) => {
    const key = refusalOf(() => hold(writeVerifierKey(readVerifierKey(text(input))) === text(input), "a key has one spelling"));
    hold(key === undefined || key.code === "log-key-malformed", "a key is refused as one", key?.code);
    const request = refusalOf(() => {
      const { old, proof } = readAddCheckpoint(input);
      hold(equalBytes(writeAddCheckpoint(old, proof, utf8(fromUtf8(input).slice(fromUtf8(input).indexOf("\n\n") + 2))), input), "a request has one spelling");
    });
    hold(request === undefined || request.code === "note-malformed", "a request is refused as a note is", request?.code);
    const read = readNote(input);
    hold(equalBytes(writeNote(read), input), "a note has one spelling");
    hold(writeCheckpoint(readCheckpoint(read.text)) === read.text, "a checkpoint has one spelling");
  },
};

const policy: LogPolicy = { origin: "rome2026h1.example.org", logKeys: [readVerifierKey(cosigned[0]?.vkey ?? "")], cosigners: [], quorum: 0, freshSeconds: 600 };

/** Proofs, and the way through a map behind them. */
export const logProof: Target = {
  name: "log-proof",
  files: ["notary/tlog-proof.ts", "notary/currency.ts", "notary/map-proof.ts", "notary/octets.ts", "notary/evidence.ts"],
  seeds: () => [octets(`{"earlier":"a","kind":"fork","later":"b","proof":[],"root":"${"A".repeat(43)}","v":1}`), ...texts("tlog-proof"), ...["master", "absent"].map((name) => octets(readVectors<{ readonly proof: string }>(`notary/valid/proof-${name}.json`).proof))],
  words: ["c2sp.org/tlog-proof@v1\n", "extra ", "index ", "\n\n"],
  most: 12_000,
  refusals: ["log-proof-malformed", "log-proof-false", "log-wrong-origin", "note-unsigned", "note-malformed"],
  run: (input) => {
    // The beginning of the input once more, as a way through a map.
    const reader = new OctetReader(input);
    const key = reader.take(32);
    const way = key === undefined ? undefined : readMapProof(key, reader);
    if (key !== undefined && way !== undefined && reader.isAtEnd) {
      hold(equalBytes(writeMapProof(key, way), input.subarray(32)), "a way through the map has one spelling");
      rootFromProof(key, way);
    }
    const evidence = refusalOf(() => hold(equalBytes(writeEvidence(readEvidence(input)), input), "evidence has one spelling"));
    hold(evidence === undefined || evidence.code === "log-evidence-malformed", "evidence is refused as such", evidence?.code);
    hold(equalBytes(writeTlogProof(readTlogProof(input)), input), "a proof has one spelling");
    checkCurrencyProof(input, policy, 1_790_000_000);
  },
};

/** Entries of a log, bundles of them, and paths of tiles. */
export const logEntry: Target = {
  name: "log-entry",
  files: ["notary/entry.ts", "notary/bundles.ts", "notary/tiles.ts"],
  seeds: () => [...readVectors<{ readonly entries: readonly string[] }>("notary/valid/log-two-people.json").entries.map(octets), ...["tile/0/x001/234.p/5", "tile/entries/067", "tile/63/000"].map(octets)],
  words: ['"k":"epoch"', '"k":"master"', '"k":"personal"', '"k":"account"', '"c":', '"v":1', "tile/", "x000/", ".p/"],
  refusals: ["log-entry-malformed"],
  run: (input) => {
    for (const width of [1, 2, 256]) {
      const refused = refusalOf(() => hold(equalBytes(writeBundle(readBundle(input, width)), input), "a bundle has one spelling"));
      hold(refused === undefined || refused.code === "log-tile-malformed", "a bundle is refused as one", refused?.code);
    }
    const path = parseTilePath(text(input));
    hold(path === undefined || (path.kind === "tile" ? tilePath(path.name) : bundlePath(path.name)) === text(input), "a path of a tile has one spelling");
    hold(equalBytes(writeEntry(readEntry(input)), input), "an entry has one spelling");
  },
};
