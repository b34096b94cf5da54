import { MeshError } from "../refusals/mesh-error.ts";
import { jsonText, printable, printableLines } from "./printable.ts";
import type { World } from "./world.ts";

/**
 * Tells what went wrong on standard error, as sentences or with --json as one object, and returns the exit status.
 *
 * Only a MeshError's own words are shown: what else was thrown may quote anything, secrets included, and is a mistake of
 * ours (`internal`). `MESH_DEBUG=1` shows it.
 */
export function report(error: unknown, world: World, json: boolean): number {
  const known = error instanceof MeshError ? error : new MeshError("internal", "Something went wrong that Mesh did not foresee; this is a mistake in Mesh.", "Run it again with MESH_DEBUG=1 to see where, and report that.");
  const debug = ["", "0", undefined].includes(world.environment["MESH_DEBUG"]) ? undefined : trace(error);
  if (json) {
    world.write(2, `${jsonText({ code: known.code, message: known.message, hint: known.hint ?? null })}\n`);
  } else {
    const colours = world.isTerminal(2) && ["", undefined].includes(world.environment["NO_COLOR"]) && world.environment["TERM"] !== "dumb";
    const label = colours ? "\u001B[1;31mmesh:\u001B[0m" : "mesh:";
    const hint = known.hint === undefined ? "" : `${printable(known.hint)}\n`;
    world.write(2, `${label} ${printable(known.message)}\n${hint}`);
    if (debug !== undefined) world.write(2, `${known.code}\n${printableLines(debug)}\n`);
  }
  return known.exit;
}

function trace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${trace(error.cause)}`;
  return (error.stack ?? error.message) + cause;
}
