import { fromBase64 } from "./base64.ts";
import { inflate } from "./inflate.ts";
import { maxFileOctets } from "./limits.ts";
import { child, type XmlElement } from "./xml.ts";

/** The files that a KeePassXC export holds in its head, by the number that entries call them by; one that does not unpack is missing. */
export async function filesIn(root: XmlElement | undefined): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let room = maxFileOctets;
  for (const { attributes, text } of child(child(root, "Meta"), "Binaries")?.children ?? []) {
    const octets = fromBase64(text);
    if (octets === undefined) continue;
    const unpacked = attributes["Compressed"] === "True" ? await inflate(octets, "gzip", room) : { octets, damaged: false };
    if (unpacked.damaged) continue;
    room -= unpacked.octets.length;
    files.set(attributes["ID"] ?? "", unpacked.octets);
  }
  return files;
}
