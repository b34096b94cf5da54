import { concatBytes } from "../../../bytes/equal.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";

/** What came out before the end or the damage. */
export type Inflated = { readonly octets: Uint8Array; readonly damaged: boolean };

/** What is packed unpacks to at most so many times as much, beyond what one attachment may be: texts come to ten or twenty times, bombs to a thousand. */
const MOST_FOLD = 100;
const FREE = 16 * 1024 * 1024;

/**
 * Unpacks gzip (RFC 1952) or raw deflate (RFC 1951), by the platform's own streams, as far as it goes.
 * @throws MeshError `import-too-large` as soon as more than `most` octets come out, or too many for what went in: a small file may hold a huge one
 */
export async function inflate(packed: Uint8Array, form: "gzip" | "deflate-raw", most: number): Promise<Inflated> {
  const bound = Math.min(most, FREE + packed.length * MOST_FOLD);
  const parts: Uint8Array[] = [];
  let length = 0;
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream(form));
  try {
    for await (const part of stream) {
      length += part.length;
      if (length > bound) throw new MeshError("import-too-large", `What is packed in the file is larger than ${Math.floor(bound / 1024 / 1024)} MiB, which is too much for a file of this size.`);
      parts.push(part);
    }
    return { octets: concatBytes(...parts), damaged: false };
  } catch (error) {
    if (error instanceof MeshError) throw error;
    return { octets: concatBytes(...parts), damaged: true };
  }
}
