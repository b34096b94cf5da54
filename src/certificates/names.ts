import { isIP } from "node:net";
import { MeshError } from "../refusals/mesh-error.ts";

/** A subject alternative name: a DNS name in lower case, or the 4 or 16 octets of an IP address. */
export type SubjectName = { readonly kind: "dns"; readonly name: string } | { readonly kind: "ip"; readonly octets: Uint8Array };

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * Reads a DNS name (ASCII; a first label `*` is allowed) or an IP literal without brackets.
 * @throws MeshError `certificate-name-malformed`
 */
export function parseSubjectName(text: string): SubjectName {
  const version = isIP(text);
  if (version === 4) return { kind: "ip", octets: Uint8Array.from(text.split("."), Number) };
  if (version === 6 && !text.includes("%")) return { kind: "ip", octets: ipv6Octets(text) };
  const name = text.toLowerCase();
  const labels = name.split(".");
  if (labels[0] === "*" && labels.length > 2) labels.shift();
  if (name.length > 253 || !labels.every((each) => label.test(each)) || /^[0-9.]*$/.test(name)) {
    throw new MeshError("certificate-name-malformed", `"${text}" is neither a DNS name nor an IP address.`);
  }
  return { kind: "dns", name };
}

function ipv6Octets(text: string): Uint8Array {
  // The URL parser brings every spelling, that with a dotted tail included, to eight groups with one gap.
  const [head = "", tail] = new URL(`https://[${text}]`).hostname.slice(1, -1).split("::");
  const groups = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
