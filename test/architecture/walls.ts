import { posix } from "node:path";
import { bare, type Import, importsOf } from "./imports.ts";
import { type Room, roomOf, rooms, rowOf } from "./rooms.ts";

/** The sources that are judged: path from the root (`src/bytes/json.ts`) to text. */
export type Tree = ReadonlyMap<string, string>;

/** True for a file that no one ships: tests, their helpers (`test-*.ts`), and the examinations that several tests share. */
export function isTest(path: string): boolean {
  return /\.test\.ts$|(^|\/)(test-[\w-]+|conformance(?:-[\w-]+)?)\.ts$/.test(path);
}

/** The file of the tree that a relative import leads to; undefined for packages and for what is not there. */
function target(from: string, { specifier }: Import): string | undefined {
  return specifier?.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
}

/** Every import that goes through a wall: a room, file, package or module that the importing room's row does not open. */
export function throughWalls(tree: Tree, table = rooms): readonly string[] {
  const problems: string[] = [];
  for (const [path, source] of tree) {
    const room = roomOf(path);
    const row = room === undefined ? undefined : rowOf(room, table);
    if (room === undefined || row === undefined) {
      problems.push(`${path}: its folder is no room of test/architecture/rooms.ts`);
      continue;
    }
    for (const one of importsOf(source)) {
      const why = isTest(path) ? wrongPath(tree, path, one) : (wrongPath(tree, path, one) ?? closed(room, row, path, one));
      if (why !== undefined) problems.push(`${path}:${one.line}: ${why}`);
    }
  }
  return problems;
}

function wrongPath(tree: Tree, path: string, one: Import): string | undefined {
  const to = target(path, one);
  if (to === undefined) return undefined;
  if (!tree.has(to)) return to.startsWith("src/") ? `imports ${to}, which is not there` : isTest(path) ? undefined : `imports ${to} from outside src`;
  if (posix.basename(to) === "index.ts" && to !== "src/applications/index.ts") return `imports the front door ${to}: inside, import the file`;
  return undefined;
}

function closed(room: string, row: Room, path: string, one: Import): string | undefined {
  const { specifier, typesOnly } = one;
  if (specifier === undefined) return "imports what only the running program knows";
  if (specifier.startsWith("node:")) {
    const module = specifier.slice("node:".length);
    const open = row.node?.includes(module) || (row.node?.includes("*") && !["crypto", "ffi"].includes(module));
    return open ? undefined : `room ${room} may not import ${specifier}`;
  }
  const to = target(path, one);
  if (to === undefined) {
    const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
    return row.packages?.includes(name) ? undefined : `room ${room} may not import the package ${name}`;
  }
  if (isTest(to)) return `imports ${to}, which is for tests`;
  return seen(room, row, to.slice("src/".length), typesOnly);
}

function seen(room: string, row: Room, to: string, typesOnly: boolean): string | undefined {
  const there = roomOf(`src/${to}`);
  if (there === room || there === "refusals") return undefined;
  const pattern = there?.startsWith("applications/") ? "applications/*" : there;
  if (row.sees.some((open) => open === "*" || open === to || open === there || open === pattern)) return undefined;
  if (row.types?.includes(to)) return typesOnly ? undefined : `room ${room} may import only types from ${to}`;
  return `room ${room} may not look into ${to}`;
}

/** Every file that a room's imports lead to although its row says never, each with the way there. */
export function reached(tree: Tree, table = rooms): readonly string[] {
  const problems: string[] = [];
  for (const [room, { neverReaches = [] }] of Object.entries(table)) {
    const ways = new Map([...tree.keys()].filter((path) => roomOf(path) === room && !isTest(path)).map((path) => [path, path]));
    for (const [path, way] of ways) {
      for (const one of importsOf(tree.get(path) ?? "")) {
        const to = target(path, one);
        if (to !== undefined && !ways.has(to)) ways.set(to, `${way} -> ${to}`);
      }
    }
    for (const [path, way] of ways) {
      if (neverReaches.some((closed) => path === `src/${closed}` || path.startsWith(`src/${closed}/`))) problems.push(`room ${room} reaches ${path}: ${way}`);
    }
  }
  return problems;
}

/** Every ring of files that import one another, types counted. */
export function rings(tree: Tree): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, way: readonly string[]): void => {
    const again = way.indexOf(path);
    if (again >= 0) found.push([...way.slice(again), path].join(" -> "));
    if (again >= 0 || done.has(path)) return;
    for (const one of importsOf(tree.get(path) ?? "")) {
      const to = target(path, one);
      if (to !== undefined && tree.has(to)) walk(to, [...way, path]);
    }
    done.add(path);
  };
  for (const path of tree.keys()) walk(path, []);
  return found;
}

const worldly: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bTemporal\.Now\b|\bperformance\.now\b/, "reads a clock"],
  [/\bMath\.random\b|\bcrypto\.(?:getRandomValues|randomUUID|subtle)\b/, "takes chance from somewhere else than crypto/"],
  [/\bset(?:Timeout|Interval|Immediate)\(|\bfetch\(|\bconsole\.|(?<!\.)\bprocess\.|\brequire\(|\bgetBuiltinModule\b/, "touches the world"],
];

/** Every line of a pure room that reads a clock, takes chance or touches the world. */
export function impurities(tree: Tree, table = rooms): readonly string[] {
  return perLine(tree, (path) => !isTest(path) && rowOf(roomOf(path) ?? "", table)?.pure === true, worldly);
}

const untyped: readonly (readonly [RegExp, string])[] = [
  [/(?::|<|\bas|\||=>)\s*any\b(?!\s*[(:.])|,\s*any\s*>|\bany\[\]/, "says `any`"],
  [/\benum\s+\w+\s*\{/, "says `enum`, which type stripping cannot run"],
];

/** Every line that gives up on types. */
export function untypedLines(tree: Tree): readonly string[] {
  return perLine(tree, () => true, untyped);
}

function perLine(tree: Tree, judged: (path: string) => boolean, rules: readonly (readonly [RegExp, string])[]): readonly string[] {
  const problems: string[] = [];
  for (const [path, source] of tree) {
    if (!judged(path)) continue;
    for (const [at, line] of bare(source).split("\n").entries()) {
      for (const [rule, what] of rules) if (rule.test(line)) problems.push(`${path}:${at + 1}: ${what}: ${source.split("\n")[at]?.trim()}`);
    }
  }
  return problems;
}

/** Files longer than so many lines. */
export function longerThan(tree: Tree, lines: number): readonly string[] {
  return [...tree].map(([path, source]) => ({ path, count: source.trimEnd().split("\n").length })).filter(({ count }) => count > lines).map(({ path, count }) => `${path} has ${count} lines`);
}

/** Front doors (`index.ts`) that stand elsewhere than at a room's entrance. */
export function strayDoors(tree: Tree): readonly string[] {
  return [...tree.keys()].filter((path) => posix.basename(path) === "index.ts" && path.split("/").length !== 3 && !path.startsWith("src/applications/"));
}
