import { RefusedByPortal } from "../protocol/wire.ts";
import { MeshError } from "../refusals/mesh-error.ts";

/** Codes by which our own judgement refuses octets; met in what a portal sent, they are the portal's doing. */
const FALSE_DATA = /^(?:signed|signature|signer|sealed|commit|profile|json|text|base64url|key|udf|ciphertext|answer|log|note)-/;

/**
 * Does what reads a portal's answers; what does not hold in them is laid at the portal's door, exit 6, nothing changed.
 *
 * An honest portal refuses such objects from whoever sends them, so it never shows any. Two versions under one number stay
 * what they are, since a cloned device can cause them too.
 */
export async function holdingPortalTo<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MeshError) || error instanceof RefusedByPortal || !FALSE_DATA.test(error.code) || error.code === "profile-two-versions") throw error;
    throw new MeshError("portal-false-data", `The portal sent something that does not hold. ${error.message}`, "Nothing here was changed. It is broken or it cheats; ask its operator, and do not rely on what it says.", error);
  }
}
