import { fromBase32 } from "../bytes/base32.ts";
import { MeshError } from "../refusals/mesh-error.ts";

/**
 * A fingerprint that someone else wrote, in any spelling of 2016 to 2022: to be shown and compared by people, never an
 * identifier of ours.
 */
export type ForeignUdf = {
  readonly kind: "foreign-udf";
  readonly digest: "SHA-2-512" | "SHA-3-512";
  /** How many times the type octet says that the digest was compressed: 0 to 4 (draft-hallambaker-mesh-udf §5.1.8). */
  readonly compression: number;
  /** Five bits a character, the type octet included. */
  readonly bits: number;
  /** Upper case, without dashes. */
  readonly letters: string;
};

/**
 * Reads a fingerprint in groups of four or five, or none, of either case, of 100 to 520 bits, over either digest.
 *
 * `udf-malformed` for what is no digest fingerprint at all.
 */
export function parseForeignUdf(text: string): ForeignUdf {
  const letters = text.replaceAll("-", "").toUpperCase();
  if (!/^[A-Za-z2-7]+(?:-[A-Za-z2-7]+)*$/.test(text) || letters.length < 20 || letters.length > 104) throw malformed();
  const type = typeOctet(letters);
  const digest = type >= 96 && type <= 100 ? "SHA-2-512" : type >= 80 && type <= 84 ? "SHA-3-512" : undefined;
  if (digest === undefined) throw malformed();
  return { kind: "foreign-udf", digest, compression: type % 16, bits: letters.length * 5, letters };
}

/** A host name or address with a fingerprint in it, in one of the two forms of draft-hallambaker-sin-00, or with none. */
export type ForeignAddress = { readonly base: string; readonly udf?: ForeignUdf };

/** Reads an address of draft-hallambaker-sin-00 §2 and §3: the label `mm--<fingerprint>` stands first or last in the domain. */
export function parseForeignAddress(text: string): ForeignAddress {
  const at = text.lastIndexOf("@") + 1;
  const labels = text.slice(at).split(".");
  const marked = labels.flatMap((label, place) => (label.startsWith("mm--") ? [place] : []));
  const [found] = marked;
  if (labels.includes("") || marked.length > 1 || (found !== undefined && found !== 0 && found !== labels.length - 1)) throw malformed();
  if (found === undefined) return { base: text };
  const udf = parseForeignUdf((labels[found] ?? "").slice(4));
  return { base: text.slice(0, at) + labels.toSpliced(found, 1).join("."), udf };
}

function typeOctet(letters: string): number {
  // Sixteen letters are exactly ten octets: no bits left over for the strict reader to refuse.
  return fromBase32(letters.slice(0, 16))[0] as number;
}

function malformed(): MeshError {
  return new MeshError("udf-malformed", "This is not a fingerprint in any known spelling.");
}
