import { MeshError } from "../../../refusals/mesh-error.ts";

/** The refusal of a file that does not read as its program writes it. */
export function damaged(why: string): MeshError {
  return new MeshError("import-damaged", `The file is damaged, or not what it seems: ${why}`, "Nothing was imported. Export it anew; or take what can still be read with --partial.");
}

/** The refusal of a file that is whole, but of a kind that is not read here. */
export function unsupported(why: string, hint: string): MeshError {
  return new MeshError("import-unsupported", why, hint);
}
