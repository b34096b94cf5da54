import { type Code, codes } from "../../src/refusals/codes.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";

/** One thing that is fuzzed: what reads the input, what may come of it, and what must hold besides. */
export type Target = {
  readonly name: string;
  /** Begins of paths in `src` whose coverage is told. */
  readonly files: readonly string[];
  /** Inputs to begin with, besides those in the corpus. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Texts that readers look for. */
  readonly words?: readonly string[];
  /** The most octets of an input; by default `DEFAULT_MOST`. */
  readonly most?: number;
  /**
   * Reads an input and checks what must hold of the result. A refusal by one of `refusals` is as good as a result;
   * everything else that is thrown is a failure.
   */
  readonly run: (input: Uint8Array) => void | Promise<void>;
  /** The codes with which it may refuse; `any` for what passes on the refusals of all rooms. */
  readonly refusals: readonly Code[] | "any";
};

/** The most octets of an input where its target says nothing else. */
export const DEFAULT_MOST = 2048;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text as the octets of an input. */
export function octets(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The octets of an input as text; what is no UTF-8 becomes U+FFFD. */
export function text(input: Uint8Array): string {
  return decoder.decode(input);
}

/** An input that is JSON, for targets that build what they read out of it; undefined if it is none. */
export function json(input: Uint8Array): unknown {
  try {
    return JSON.parse(text(input)) as unknown;
  } catch {
    return undefined;
  }
}

/** What must hold of a result and does not. */
export class Broken extends Error {
  constructor(rule: string, about = "") {
    super(`${rule}${about === "" ? "" : `: ${about.slice(0, 400)}`}`);
    this.name = "Broken";
  }
}

/** Demands that a rule holds. */
export function hold(rule: boolean, what: string, about?: string): asserts rule {
  if (!rule) throw new Broken(what, about);
}

/** The refusal of a work, or undefined if it was done; other errors go on. */
export function refusalOf(work: () => unknown): MeshError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof MeshError) return error;
    throw error;
  }
}

/** Runs one input; what it throws is a failure. */
export async function runOn({ refusals, run }: Target, input: Uint8Array): Promise<void> {
  try {
    const done = run(input);
    if (done !== undefined) await done;
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    if (!Object.hasOwn(codes, error.code)) throw new Broken(`the code ${error.code} is not in the list`, error.message);
    if (refusals !== "any" && !refusals.includes(error.code)) throw new Broken(`it may not refuse with ${error.code}`, error.message);
    if (error.code === "internal" || error.code === "service-internal") throw error;
  }
}
