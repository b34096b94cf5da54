import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import * as fc from "fast-check";

import { concatBytes } from "../bytes/equal.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { generateLogKey, type LogAlgorithm, logKeyFromSeed, logKeySeed, type LogVerifyingKey } from "../crypto/log-key.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { type NoteSigner, signatureBy, signNote, verifyNote } from "./cosignature.ts";
import { policyOf } from "./log-policy.ts";
import { readNote, readSignatureLines, writeNote, writeSignatureLines } from "./note.ts";
import { flipped } from "./test-log.ts";
import { readVerifierKey, type SignatureType, verifierKey, type VerifierKey, writeVerifierKey } from "./verifier-key.ts";

/** What noble says of a signature, so that a fault on either side shows. */
function nobleVerify({ algorithm, raw }: LogVerifyingKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return algorithm === "ed25519" ? ed25519.verify(signature, message, raw, { zip215: false }) : ml_dsa44.verify(signature, message, raw);
  } catch {
    return false;
  }
}

const nobleSign = { ed25519: (message: Uint8Array, seed: Uint8Array) => ed25519.sign(message, seed), mlDsa44: (message: Uint8Array, seed: Uint8Array) => ml_dsa44.sign(message, ml_dsa44.keygen(seed).secretKey) };

/** A key whose verdicts are noble's too. */
function agreed(key: VerifierKey): VerifierKey {
  const verify = (message: Uint8Array, signature: Uint8Array): boolean => {
    const verdict = key.key.verify(message, signature);
    assert.equal(nobleVerify(key.key, message, signature), verdict, "node:crypto and noble agree");
    return verdict;
  };
  return { ...key, key: { algorithm: key.key.algorithm, raw: key.key.raw, verify } as LogVerifyingKey };
}

type Spec = { readonly specExamples: Readonly<Record<string, readonly string[]>>; readonly sumdbNote: { readonly keys: readonly string[]; readonly notes: readonly string[] }; readonly formatsCosig: { readonly keys: readonly string[] } };
type Cosigned = { readonly vectors: readonly { readonly vkey: string; readonly checkpoint: string; readonly expect: string; readonly verifiedHere: { readonly ts: string } }[] };
type MlDsa = { readonly seedHex: string; readonly vkey: string; readonly signedMessageHex: string; readonly checkpointText: string; readonly signatureLine: string; readonly externalVkeyOnly: { readonly vkey: string } };

const spec = readVectors<Spec>("tlog/c2sp-notes.json");
const example = (of: string, at = 0): string => spec.specExamples[of]?.[at] ?? assert.fail(of);

suite("vectors/tlog/c2sp-notes.json", () => {
  const notes = [example("signed-note", 0), example("signed-note", 1), example("tlog-checkpoint"), example("tlog-cosignature"), ...spec.sumdbNote.notes];
  for (const text of notes) {
    test(`reads and writes octet for octet: ${JSON.stringify(text.slice(0, 30))}`, () => assert.equal(fromUtf8(writeNote(readNote(utf8(text)))), text));
  }

  test("a text with empty lines goes to the last of them", () => {
    assert.equal(readNote(utf8(notes[0] ?? "")).text, "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n");
  });

  test("checkpoints have origin, size and root, and are written the same", () => {
    for (const text of [example("tlog-checkpoint"), example("tlog-cosignature")]) {
      const note = readNote(utf8(text));
      const checkpoint = readCheckpoint(note.text);
      assert.deepEqual([checkpoint.origin, checkpoint.size, checkpoint.root.toBase64(), checkpoint.extensions], ["example.com/behind-the-sofa", 20852163, "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", []]);
      assert.equal(writeCheckpoint(checkpoint), note.text);
    }
  });

  test("the message that an Ed25519 cosigner signs is that of the specification's example", () => {
    const [cosignature] = readNote(utf8(example("tlog-cosignature"))).signatures.slice(1);
    const message = utf8(example("tlog-cosignature", 2));
    let signed: Uint8Array | undefined;
    const key = verifierKey("witness.example.com/w1", "cosignature/v1", generateLogKey("ed25519").publicKey);
    const spy = { algorithm: "ed25519", verify: (text: Uint8Array) => (signed = text) !== undefined } as unknown as LogVerifyingKey;
    assert.deepEqual(verifyNote({ ...key, key: spy }, readNote(utf8(example("tlog-cosignature"))).text, cosignature ?? assert.fail()), { seconds: 1679315147 });
    assert.deepEqual(signed, message);
  });

  test("a witness's answer reads as lines of signatures", () => {
    const answer = example("tlog-witness", 2);
    assert.equal(writeSignatureLines(readSignatureLines(answer)), answer);
  });

  test("the true keys of sumdb read and write; a damaged one, an unknown kind and a private one do not", () => {
    const [peter = "", bad = "", unknown = "", secret = "", enoch = ""] = spec.sumdbNote.keys;
    for (const key of [peter, enoch]) assert.equal(writeVerifierKey(readVerifierKey(key)), key);
    for (const key of [bad, unknown, secret]) assert.throws(() => readVerifierKey(key), { code: "log-key-malformed" });
  });

  test("its note verifies under the first key and under no other", () => {
    const [peter = "", , , , enoch = ""] = spec.sumdbNote.keys;
    const note = readNote(utf8(spec.sumdbNote.notes[0] ?? ""));
    assert.deepEqual(signatureBy(agreed(readVerifierKey(peter)), note), { seconds: 0 });
    assert.equal(signatureBy(readVerifierKey(enoch), note), undefined);
    for (let bit = 0; bit < 512; bit++) {
      const signatures = note.signatures.map((one) => ({ ...one, octets: flipped(one.octets, bit) }));
      assert.equal(signatureBy(bit % 8 === 0 ? agreed(readVerifierKey(peter)) : readVerifierKey(peter), { ...note, signatures }), undefined);
    }
  });

  test("keys of cosigners: those of Ed25519 read, that of ML-DSA-44 states an identifier that is not its own, one of ECDSA has no place here", () => {
    const [first = "", second = "", wrong = "", ecdsa = ""] = spec.formatsCosig.keys;
    for (const key of [first, second]) assert.equal(writeVerifierKey(readVerifierKey(key)), key);
    assert.equal(readVerifierKey(second).type, "cosignature/v1");
    for (const key of [wrong, ecdsa]) assert.throws(() => readVerifierKey(key), { code: "log-key-malformed" });
    assert.equal(writeVerifierKey(readVerifierKey(wrong.replace("5893dc2c", "31236897"))), wrong.replace("5893dc2c", "31236897"), "with its own it reads");
  });
});

suite("vectors/tlog/cosignature-ed25519.json", () => {
  for (const { vkey, checkpoint, verifiedHere } of readVectors<Cosigned>("tlog/cosignature-ed25519.json").vectors) {
    const [key, note] = [readVerifierKey(vkey), readNote(utf8(checkpoint))];
    test(`${key.name} verifies, and with any bit of text, time or signature turned it does not`, () => {
      assert.deepEqual(signatureBy(agreed(key), note), { seconds: Number(verifiedHere.ts) });
      const own = note.signatures.filter(({ id }) => id === key.id);
      for (let bit = 0; bit < 72 * 8; bit++) assert.equal(signatureBy(bit % 8 === 0 ? agreed(key) : key, { ...note, signatures: own.map((one) => ({ ...one, octets: flipped(one.octets, bit) })) }), undefined);
      const text = utf8(note.text);
      for (let bit = 0; bit < text.length * 8; bit++) {
        const turned = new TextDecoder().decode(flipped(text, bit));
        if (turned !== note.text) assert.equal(signatureBy(key, { ...note, text: turned }), undefined);
      }
      assert.deepEqual(writeNote(note), utf8(checkpoint));
    });
  }
});

suite("vectors/tlog/cosignature-mldsa44-selfmade.json", () => {
  const vector = readVectors<MlDsa>("tlog/cosignature-mldsa44-selfmade.json");
  const key = readVerifierKey(vector.vkey);
  const note = readNote(utf8(`${vector.checkpointText}\n${vector.signatureLine.endsWith("\n") ? vector.signatureLine : `${vector.signatureLine}\n`}`));

  test("it verifies, over the message that it states", () => {
    assert.notEqual(signatureBy(agreed(key), note), undefined);
    assert.ok(key.key.verify(Uint8Array.fromHex(vector.signedMessageHex), (note.signatures[0]?.octets ?? assert.fail()).subarray(8)));
    assert.equal(logKeyFromSeed("mlDsa44", Uint8Array.fromHex(vector.seedHex)).publicKey.raw.toHex(), key.key.raw.toHex());
  });

  test("with bits of text, time or signature turned it does not", () => {
    const signature = note.signatures[0] ?? assert.fail();
    for (let bit = 0; bit < 2428 * 8; bit += 97) assert.equal(verifyNote(bit < 970 ? agreed(key) : key, note.text, { ...signature, octets: flipped(signature.octets, bit) }), undefined);
    for (const text of [note.text.replace("1234", "1235"), note.text.replace("SBN", "SBM"), note.text.replace("log", "lag")]) assert.equal(signatureBy(agreed(key), { ...note, text }), undefined);
  });

  test("a foreign key whose stated identifier is not its own is refused", () => {
    assert.throws(() => readVerifierKey(vector.externalVkeyOnly.vkey), { code: "log-key-malformed" });
  });
});

suite("signing (log 3.2, 3.3)", () => {
  const checkpoint = writeCheckpoint({ origin: "portal.example/mesh/1", size: 42, root: new Uint8Array(32).fill(7), extensions: [] });
  for (const [type, algorithm] of [["note", "ed25519"], ["cosignature/v1", "ed25519"], ["subtree/v1", "mlDsa44"]] as const satisfies readonly (readonly [SignatureType, LogAlgorithm])[]) {
    test(`what is signed as ${type} verifies, here and by noble, and noble's is taken`, async () => {
      const own = generateLogKey(algorithm);
      const key = agreed(verifierKey("portal.example/mesh/1", type, own.publicKey));
      const signer: NoteSigner = { key, sign: (message) => own.sign(message) };
      const signature = await signNote(signer, checkpoint, 1_790_000_000);
      assert.deepEqual(verifyNote(key, checkpoint, signature), { seconds: type === "note" ? 0 : 1_790_000_000 });
      const other = await signNote({ key, sign: async (message) => nobleSign[algorithm](message, logKeySeed(own)) }, checkpoint, 5);
      assert.deepEqual(verifyNote(key, checkpoint, other), { seconds: type === "note" ? 0 : 5 });
      assert.equal(verifyNote(key, checkpoint.replace("42", "43"), signature), undefined);
      assert.deepEqual(readVerifierKey(writeVerifierKey(key)).id, key.id);
    });
  }

  test("an ML-DSA-44 cosignature is its cosigner's, by name", async () => {
    const own = generateLogKey("mlDsa44");
    const [one, two] = ["one.example", "two.example"].map((name) => verifierKey(name, "subtree/v1", own.publicKey)) as [VerifierKey, VerifierKey];
    const signature = await signNote({ key: one, sign: (message) => own.sign(message) }, checkpoint, 9);
    assert.equal(verifyNote(two, checkpoint, signature), undefined);
  });

  test("nothing but a checkpoint is cosigned", async () => {
    const own = generateLogKey("ed25519");
    const key = verifierKey("w.example", "cosignature/v1", own.publicKey);
    await assert.rejects(signNote({ key, sign: (message) => own.sign(message) }, "no checkpoint\n", 9), { code: "note-malformed" });
    assert.equal(verifyNote(key, "no checkpoint\n", { name: key.name, id: key.id, octets: new Uint8Array(72) }), undefined);
  });
});

suite("the keys of a log in a Portal Profile (log 1.2)", () => {
  const keyOf = (name: string, type: SignatureType) => writeVerifierKey(verifierKey(name, type, generateLogKey(type === "subtree/v1" ? "mlDsa44" : "ed25519").publicKey));
  const old = [keyOf("a.example/mesh/1", "note"), keyOf("a.example/mesh/1", "subtree/v1")];
  const now = [keyOf("a.example/mesh/2", "note"), keyOf("a.example/mesh/2", "subtree/v1")];

  test("are one of each kind, the newest log's last", () => {
    const policy = policyOf([...old, ...now]);
    assert.deepEqual([policy.origin, policy.logKeys.map(writeVerifierKey), policy.quorum], ["a.example/mesh/2", now, 0]);
  });
  for (const [why, keys] of [["none", []], ["one alone", now.slice(1)], ["two of a kind", [...now, now[0] ?? ""]], ["one of each log", [old[0] ?? "", now[1] ?? ""]], ["a cosigner's", [now[0] ?? "", keyOf("a.example/mesh/2", "cosignature/v1")]], ["what is no key", ["x"]]] as const) {
    test(`refuses ${why}`, () => assert.throws(() => policyOf(keys), { code: "log-key-malformed" }));
  }
});

suite("notes have one spelling (log 3.1)", () => {
  const good = "text\n\n— a.example AAAAAAA=\n";
  test("the plainest reads", () => assert.equal(readNote(utf8(good)).signatures.length, 1));
  for (const [why, text] of [
    ["no signature", "text\n\n"],
    ["no empty line", "text\n— a.example AAAAAAA=\n"],
    ["no last line end", good.slice(0, -1)],
    ["a hyphen for the dash", good.replace("—", "-")],
    ["a plus in a name", good.replace("a.example", "a+b")],
    ["a wide space in a name", good.replace("a.example", "a\u3000b")],
    ["no name", good.replace("a.example ", "")],
    ["two spaces", good.replace("— ", "—  ")],
    ["something behind", good.replace("=\n", "= \n")],
    ["a carriage return", good.replace("text", "text\r")],
    ["a tab", good.replace("text", "te\txt")],
    ["base64 without padding", good.replace("AAAAAAA=", "AAAAAAA")],
    ["base64 with stray bits", good.replace("AAAAAAA=", "AAAAAAB=")],
    ["a key's identifier alone", good.replace("AAAAAAA=", "AAAAAA==")],
    ["too many signatures", `text\n\n${"— a.example AAAAAAA=\n".repeat(65)}`],
    ["too many octets", `${"text".repeat(70_000)}${good}`],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => readNote(utf8(text)), { code: "note-malformed" }));
  }
  test("refuses octets that are no UTF-8", () => assert.throws(() => readNote(concatBytes(Uint8Array.of(0xff), utf8(good))), { code: "note-malformed" }));

  test("sixteen signatures of the longest kind are taken", () => {
    const line = writeSignatureLines([{ name: "a.example", id: 1, octets: new Uint8Array(4741) }]);
    assert.equal(readNote(utf8(`text\n\n${line.repeat(16)}`)).signatures.length, 16);
  });

  test("whatever reads is written the same", () => {
    fc.assert(fc.property(fc.stringMatching(/^(text|\n|— a AAAAAAA=| |—){1,8}$/), (text) => {
      try {
        readNote(utf8(`${text}\n`));
      } catch {
        return;
      }
      assert.equal(fromUtf8(writeNote(readNote(utf8(`${text}\n`)))), `${text}\n`);
    }));
  });
});

suite("checkpoints have one spelling (log 3.1)", () => {
  const good = "a.example/log\n42\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  test("extension lines are read and written, of other logs", () => assert.equal(writeCheckpoint(readCheckpoint(`${good}more\n`)), `${good}more\n`));
  for (const [why, text] of [
    ["no origin", good.replace("a.example/log", "")],
    ["an origin of 256 octets", good.replace("a.example/log", "a".repeat(256))],
    ["a zero before a size", good.replace("42", "042")],
    ["a sign", good.replace("42", "+42")],
    ["a size of 2^53", good.replace("42", "9007199254740992")],
    ["a size of 2^64", good.replace("42", "18446744073709551616")],
    ["a hash of 31 octets", good.replace("CsUY", "")],
    ["an empty line", `${good}\n`],
    ["no last line end", good.slice(0, -1)],
    ["lines without end", good + "x\n".repeat(17)],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => readCheckpoint(text), { code: "note-malformed" }));
  }
});
