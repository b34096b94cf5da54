import { MeshError } from "../../refusals/mesh-error.ts";

/** What of a login somebody means: without a field, what a program gets that asks for nothing in particular. */
export type Reference = { readonly name: string; readonly field: string | undefined };

const SCHEME = "mesh://";
const MOST = 4096;

/** Whether a text means to be a reference. */
export function isReference(text: string): boolean {
  return text.startsWith(SCHEME);
}

/**
 * Reads `mesh://password/NAME` or `mesh://password/NAME/FIELD`, in which a slash within a name is `%2F`, as in any URL.
 * @throws MeshError `reference-malformed`
 */
export function readReference(text: string): Reference {
  const [kind, name, field, ...more] = text.length <= MOST && isReference(text) ? text.slice(SCHEME.length).split("/").map(decoded) : [];
  if (kind !== "password" || name === undefined || name === "" || field === "" || more.length > 0) {
    throw new MeshError("reference-malformed", "A reference is mesh://password/NAME or mesh://password/NAME/FIELD.", "A slash in a name is written %2F, and a percent sign %25.");
  }
  return { name, field };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
