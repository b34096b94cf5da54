import type { Code } from "../refusals/codes.ts";
import { MeshError } from "../refusals/mesh-error.ts";

/** What a reader gives; where it finds fault, the refusal of what it was reading for. */
export function readOr<T>(code: Code, message: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new MeshError(code, message);
  }
}

/** What a reader gives; a fault of a part is told under the code of the whole, with what the part said. */
export function readWhole<T>(code: Code, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MeshError && error.code !== code) throw new MeshError(code, `This is no ${what}: ${error.message}`);
    throw error;
  }
}
