import { fromBase64, toBase64 } from "../bytes/base64.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { sha256 } from "../crypto/digest.ts";
import { type LogAlgorithm, LogVerifyingKey } from "../crypto/log-key.ts";
import { demand } from "../refusals/mesh-error.ts";
import { isKeyName } from "./note.ts";
import { readOr } from "./reading.ts";

/** What a signature on a note says: the note's text (0x01), a cosigned checkpoint (0x04), a cosigned subtree (0x06). */
export type SignatureType = "note" | "cosignature/v1" | "subtree/v1";

const types: Readonly<Record<SignatureType, { readonly octet: number; readonly algorithm: LogAlgorithm }>> = {
  note: { octet: 0x01, algorithm: "ed25519" },
  "cosignature/v1": { octet: 0x04, algorithm: "ed25519" },
  "subtree/v1": { octet: 0x06, algorithm: "mlDsa44" },
};

/** A key that signs notes: its name, its identifier, and what its signatures say (C2SP signed-note, "Verifier keys"). */
export type VerifierKey = { readonly name: string; readonly id: number; readonly type: SignatureType; readonly key: LogVerifyingKey };

/** ML-DSA-44 makes 1,313 octets, 1,752 characters; names of cosigners have at most 255 octets. */
const MAX_TEXT = 2600;
const MAX_NAME = 255;

/** The verifier key of a name and a public key. */
export function verifierKey(name: string, type: SignatureType, key: LogVerifyingKey): VerifierKey {
  const { octet, algorithm } = types[type];
  demand(isKeyName(name) && utf8(name).length <= MAX_NAME, "log-key-malformed", "The name of a log's key has 1 to 255 octets, no space and no plus.");
  demand(key.algorithm === algorithm, "log-key-malformed", `Signatures of type ${type} are made with ${algorithm}.`);
  const digest = sha256(utf8(`${name}\n`), Uint8Array.of(octet), key.raw);
  return { name, type, key, id: new DataView(digest.buffer, digest.byteOffset).getUint32(0) };
}

/** Reads the text of a key, `name+identifier+base64`; `log-key-malformed` also for an identifier that is not the key's own. */
export function readVerifierKey(text: string): VerifierKey {
  const [, name = "", id = "", encoded = ""] = text.length > MAX_TEXT ? [] : (/^([^+]+)\+([0-9a-f]{8})\+([^\s]+)$/.exec(text) ?? []);
  const octets = readOr("log-key-malformed", "The key in this text is not base64 in its one spelling.", () => fromBase64(encoded));
  const found = (Object.keys(types) as SignatureType[]).find((type) => types[type].octet === octets[0]);
  demand(found !== undefined, "log-key-malformed", "This is no key of a kind that signs logs here: NAME+IDENTIFIER+KEY.");
  const publicKey = readOr("log-key-malformed", "The key in this text has not the length that its kind has.", () => new LogVerifyingKey(types[found].algorithm, octets.subarray(1)));
  const key = verifierKey(name, found, publicKey);
  demand(idText(key) === id, "log-key-malformed", "The identifier in this key's text is not the key's own.");
  return key;
}

/** Writes the text of a key. */
export function writeVerifierKey(key: VerifierKey): string {
  return `${key.name}+${idText(key)}+${toBase64(concatBytes(Uint8Array.of(types[key.type].octet), key.key.raw))}`;
}

function idText({ id }: VerifierKey): string {
  return id.toString(16).padStart(8, "0");
}
