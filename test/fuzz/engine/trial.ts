import { runOn, type Target } from "../target.ts";
import { MAX_MS } from "./bounds.ts";

/** How an input failed. Two that failed in one way are one failure. */
export type Failing = { readonly way: string; readonly error: string };

/** Runs inputs of one target, each within its time. */
export class Trial {
  readonly #target: Target;
  readonly #before: (input: Uint8Array) => void;
  #slowest = 0;

  /** `before` is told of each input before it runs, so that one that ends the process is known. */
  constructor(target: Target, before: (input: Uint8Array) => void) {
    this.#target = target;
    this.#before = before;
  }

  /** The longest that an input took, in milliseconds. */
  get slowest(): number {
    return this.#slowest;
  }

  /** Runs an input; how it failed, if it did. */
  async run(input: Uint8Array): Promise<Failing | undefined> {
    this.#before(input);
    const started = performance.now();
    const cpu = process.cpuUsage();
    try {
      await runOn(this.#target, input);
    } catch (error) {
      return failing(error);
    }
    const took = tookSince(started, cpu);
    if (took <= MAX_MS) {
      this.#slowest = Math.max(this.#slowest, took);
      return undefined;
    }
    return this.#slow(input);
  }

  /** The engine may have been compiling or collecting: what is too slow is so three times. */
  async #slow(input: Uint8Array): Promise<Failing | undefined> {
    let least = Infinity;
    for (let times = 0; times < 3; times++) {
      const started = performance.now();
      const cpu = process.cpuUsage();
      await runOn(this.#target, input);
      least = Math.min(least, tookSince(started, cpu));
    }
    this.#slowest = Math.max(this.#slowest, least);
    return least <= MAX_MS ? undefined : { way: "slow", error: `it took ${Math.round(least)} ms, more than ${MAX_MS}` };
  }
}

/** Milliseconds by the clock, or by the processor if that were fewer: a busy machine makes nothing slower than it is. */
function tookSince(started: number, cpu: NodeJS.CpuUsage): number {
  const took = performance.now() - started;
  if (took <= MAX_MS) return took;
  const { system, user } = process.cpuUsage(cpu);
  return Math.min(took, (system + user) / 1000);
}

function failing(error: unknown): Failing {
  if (!(error instanceof Error)) return { way: "thrown", error: String(error) };
  const code = (error as { readonly code?: unknown }).code;
  // Numbers and what is quoted differ from input to input.
  const way = `${error.name} ${String(code ?? "")} ${error.message.slice(0, 60).replaceAll(/[0-9]+|".*"/g, "*").split(":")[0] ?? ""}`;
  return { way, error: error.stack ?? error.message };
}
