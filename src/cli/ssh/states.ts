import type { MeshError } from "../../refusals/mesh-error.ts";
import { counted } from "../counted.ts";
import type { HostState } from "./host-state.ts";

/** A state as --json shows it. */
export function stateDocument({ trouble, ...state }: HostState) {
  return { ...state, trouble: trouble === undefined ? null : { code: trouble.code, message: trouble.message } };
}

/** A state as a line for people. */
export function stateLine({ missing, name, others, newOthers, state, surplus, trouble, way }: HostState): string {
  const managed = way === "managed" ? [...(missing.length === 0 ? [] : ["its lists"]), ...(surplus.length === 0 ? [] : ["the keys in its authorized_keys"])].join(", ") : undefined;
  const differs = managed ?? [...(missing.length === 0 ? [] : [`${counted(missing.length, "key")} added`]), ...(surplus.length === 0 ? [] : [`${counted(surplus.length, "key")} taken out`])].join(", ");
  const lacking = managed ?? [...(missing.length === 0 ? [] : [`${counted(missing.length, "key")} missing`]), ...(surplus.length === 0 ? [] : [`${counted(surplus.length, "key")} too many`])].join(", ");
  const how = state === "in-step" ? "in step" : state === "brought-in-step" ? `brought in step: ${differs === "" ? "the mark of its state" : differs}` : state === "stale" ? `not in step: ${lacking}` : (trouble?.message ?? state);
  const fresh = newOthers.length === 0 ? "" : `, ${newOthers.length} of them new since your devices looked last: see that you know ${newOthers.length === 1 ? "it" : "them"}`;
  const outside = others.length === 0 ? "" : `\n         ${counted(others.length, "line")} outside the block ${others.length === 1 ? "lets" : "let"} somebody in${fresh}`;
  return `${name.padEnd(8)} ${how}${outside}`;
}

/** What a command ends with that was to bring servers in step: the worst that stood in the way; undefined if nothing did. */
export function worstOf(states: readonly HostState[]): MeshError | undefined {
  const troubles = states.flatMap((one) => one.trouble ?? []);
  return troubles.find((one) => one.exit === 6) ?? troubles.find((one) => one.exit !== 7) ?? troubles[0];
}
