import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { sha512 } from "../crypto/digest.ts";
import { replaceFile } from "../machine/replace-file.ts";

/** Puts evidence against a portal into a home, under a name that follows from what it holds, and says where; undefined where the disk takes nothing. */
export function keepEvidence(home: string, evidence: Uint8Array, kind: string): string | undefined {
  const folder = join(home, "evidence");
  const path = join(folder, `${kind}-${Buffer.from(sha512(evidence).subarray(0, 8)).toString("hex")}.json`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    replaceFile(path, evidence);
    return path;
  } catch {
    // The refusal that it goes with is what counts.
    return undefined;
  }
}
