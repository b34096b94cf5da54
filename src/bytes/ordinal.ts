/** Writes a number with twelve digits at least, so that the order of octets is its order: what numbers in keys of rows look like. */
export function ordinal(value: number): string {
  return value.toString().padStart(12, "0");
}
