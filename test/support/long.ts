/** Whether this is `npm run test:long`, which runs in full what `npm test` runs a share of. */
export const isLong = process.env["MESH_LONG"] === "1";

/** How many cases to run: a few of them in `npm test`, all in `npm run test:long`; `MESH_CASES` says otherwise. */
export function cases(share: number, whole: number): number {
  const said = process.env["MESH_CASES"];
  return said !== undefined ? Number(said) : isLong ? whole : share;
}

/** The seed of this run: another each time unless `MESH_SEED` gives one, so that a failure can be played again. */
export function seed(): number {
  const said = process.env["MESH_SEED"];
  return said === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(said);
}

/** How long drawn cases may take in `npm test`, in milliseconds: on a machine with much else to do, fewer are drawn, and the test says so. */
export const patience = isLong ? Number.POSITIVE_INFINITY : 90_000;
