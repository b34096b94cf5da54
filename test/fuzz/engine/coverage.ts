import { type Profiler, Session } from "node:inspector";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

/** Where the code stands whose blocks count. */
const SOURCES = `${pathToFileURL(dirname(dirname(dirname(import.meta.dirname)))).href}/src/`;

/** What is known of one script: which of its characters ran ever, and where its blocks begin and end. */
type Script = { readonly ran: Uint8Array; readonly cuts: Set<number> };

/** Blocks that ran, of all that are known. */
export type Reached = { readonly blocks: number; readonly of: number };

/**
 * Which blocks of `src` run, by the engine's own block coverage (V8, `Profiler.takePreciseCoverage`).
 *
 * The ranges that V8 reports depend on its counts: neighbours with the same count are one. So what ran is kept character by
 * character, and a block is what stands between two cuts that were ever seen.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #scripts = new Map<string, Script>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Forgets what ran since the last time. */
  skip(): void {
    this.#session.post("Profiler.takePreciseCoverage");
  }

  /** Whether something ran since the last time that never ran before; from now on it did, if `keep`. */
  grew(keep: boolean): boolean {
    let grew = false;
    for (const { functions, url } of this.#take()) {
      if (!url.startsWith(SOURCES)) continue;
      const script = this.#scriptOf(url.slice(SOURCES.length), functions);
      for (const { ranges } of functions) grew = paint(script, ranges, keep) || grew;
      if (grew && !keep) return true;
    }
    return grew;
  }

  /** How much of the files whose paths in `src` begin with one of these ran. */
  reached(files: readonly string[]): Reached {
    let [blocks, of] = [0, 0];
    for (const [path, { cuts, ran }] of this.#scripts) {
      if (!files.some((file) => path.startsWith(file))) continue;
      for (const cut of cuts) {
        if (cut >= ran.length) continue;
        of++;
        if (ran[cut] === 1) blocks++;
      }
    }
    return { blocks, of };
  }

  close(): void {
    this.#session.disconnect();
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let taken: readonly Profiler.ScriptCoverage[] = [];
    // Within one thread the answer comes before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (_error, answer) => {
      taken = answer.result;
    });
    return taken;
  }

  #scriptOf(path: string, functions: readonly Profiler.FunctionCoverage[]): Script {
    const length = Math.max(0, ...functions.map(({ ranges }) => ranges[0]?.endOffset ?? 0));
    const known = this.#scripts.get(path);
    if (known !== undefined && known.ran.length >= length) return known;
    const ran = new Uint8Array(length);
    if (known !== undefined) ran.set(known.ran);
    const script = { ran, cuts: known?.cuts ?? new Set<number>() };
    this.#scripts.set(path, script);
    return script;
  }
}

/** Ranges of one function, outer ones before those inside: an inner one that did not run is left out of the outer. */
function paint({ ran, cuts }: Script, ranges: readonly Profiler.CoverageRange[], keep: boolean): boolean {
  const from = ranges[0]?.startOffset ?? 0;
  const now = new Uint8Array((ranges[0]?.endOffset ?? 0) - from);
  for (const { count, endOffset, startOffset } of ranges) {
    now.fill(count > 0 ? 1 : 0, startOffset - from, endOffset - from);
    if (keep) cuts.add(startOffset).add(endOffset);
  }
  let grew = false;
  for (let at = 0; at < now.length; at++) {
    if (now[at] === 1 && ran[from + at] === 0) {
      grew = true;
      if (!keep) return true;
      ran[from + at] = 1;
    }
  }
  return grew;
}
