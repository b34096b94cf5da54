import { concatBytes } from "../../../bytes/equal.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";

/** What came out before the end or the damage. */
export type Inflated = { readonly octets: Uint8Array; readonly damaged: boolean };

/**
 * Unpacks gzip (RFC 1952) or raw deflate (RFC 1951), by the platform's own streams, as far as it goes.
 * @throws MeshError `import-too-large` as soon as more than `most` octets come out: a small file may hold a huge one
 */
export async function inflate(packed: Uint8Array, form: "gzip" | "deflate-raw", most: number): Promise<Inflated> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream(form));
  try {
    for await (const part of stream) {
      length += part.length;
      if (length > most) throw new MeshError("import-too-large", `What is packed in the file is larger than ${most / 1024 / 1024} MiB.`);
      parts.push(part);
    }
    return { octets: concatBytes(...parts), damaged: false };
  } catch (error) {
    if (error instanceof MeshError) throw error;
    return { octets: concatBytes(...parts), damaged: true };
  }
}
