import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { sha512 } from "../crypto/digest.ts";
import { replaceFile } from "../machine/replace-file.ts";

/** So many files of one kind are kept: a portal that goes on cheating is convicted by any of them. */
const MOST = 8;

/** Puts evidence against a portal into a home, under a name that follows from what it holds, and says where; undefined where the disk takes nothing. */
export function keepEvidence(home: string, evidence: Uint8Array, kind: string): string | undefined {
  const folder = join(home, "evidence");
  const name = `${kind}-${sha512(evidence).subarray(0, 8).toHex()}.json`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const kept = readdirSync(folder).filter((one) => one.startsWith(`${kind}-`) && one.endsWith(".json")).sort();
    const [first] = kept;
    if (first !== undefined && kept.length >= MOST && !kept.includes(name)) return join(folder, first);
    if (!kept.includes(name)) replaceFile(join(folder, name), evidence);
    return join(folder, name);
  } catch {
    // The refusal that it goes with is what counts.
    return undefined;
  }
}
