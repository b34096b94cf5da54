import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { sha512 } from "../../../src/crypto/digest.ts";

const folder = join(dirname(import.meta.dirname), "corpus");

/** The inputs kept for a target, one a line: a JSON text, or `{"hex":...}` for octets that are no text. */
export function readCorpus(name: string): readonly Uint8Array[] {
  const path = pathOf(name);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").filter((line) => line !== "").map((line) => {
    const input = JSON.parse(line) as string | { readonly hex: string };
    return typeof input === "string" ? new TextEncoder().encode(input) : Uint8Array.fromHex(input.hex);
  });
}

/** Keeps inputs for a target, shortest first. */
export function writeCorpus(name: string, inputs: readonly Uint8Array[]): void {
  mkdirSync(folder, { recursive: true });
  const lines = inputs.toSorted((a, b) => a.length - b.length).map((input) => `${lineOf(input)}\n`);
  writeFileSync(pathOf(name), lines.join(""));
}

/** Keeps an input that failed, outside of the repository's history; says how to run it again. */
export function keepFailure(name: string, input: Uint8Array): string {
  const failures = join(dirname(import.meta.dirname), "failures", name);
  mkdirSync(failures, { recursive: true });
  const path = join(failures, sha512(input).toHex().slice(0, 12));
  writeFileSync(path, input);
  return `npm run fuzz -- ${name} --replay ${relative(process.cwd(), path)}`;
}

function pathOf(name: string): string {
  return join(folder, `${name}.jsonl`);
}

function lineOf(input: Uint8Array): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(input);
  const same = Buffer.from(text).equals(input);
  return JSON.stringify(same ? text : { hex: input.toHex() });
}
