import * as v from "valibot";

import type { Code } from "../refusals/codes.ts";
import { MeshError } from "../refusals/mesh-error.ts";

/** A schema that yields values of type `P`. */
export type Shape<P> = v.GenericSchema<unknown, P>;

/** Reads a value of a shape or refuses with the code given, naming the first member that is wrong, never its value. */
export function readShape<P>(shape: Shape<P>, value: unknown, code: Code, what: string): P {
  const result = v.safeParse(shape, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = v.getDotPath(issue) ?? "(whole)";
  throw new MeshError(code, `Malformed ${what}: ${path.slice(0, 120)} ${issue.kind === "schema" ? `must be ${issue.expected ?? "absent"}` : issue.message}`.slice(0, 300));
}
