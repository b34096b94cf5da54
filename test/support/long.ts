/** Whether this is `npm run test:long`, which runs in full what `npm test` runs a share of. */
export const isLong = process.env["MESH_LONG"] === "1";

/** How many cases to run: a few of them in `npm test`, all in `npm run test:long`; `MESH_CASES` says otherwise. */
export function cases(share: number, whole: number): number {
  const said = process.env["MESH_CASES"];
  return said !== undefined ? Number(said) : isLong ? whole : share;
}

/** The seed of all that `npm test` draws of what plays with processes, time and storage: the same each time, so that nothing fails there that has not been seen before. */
const SEED = 20_260_601;

/** The first seed of this run: `npm test` has always the same, `npm run test:long` another each time; `MESH_SEED` gives one, or `fresh`. */
export function seed(): number {
  const said = process.env["MESH_SEED"];
  if (said === "fresh" || (said === undefined && isLong)) return Math.floor(Math.random() * 0x7fff_0000);
  return said === undefined ? SEED : Number(said);
}

/** How long drawn cases may take in `npm test`, in milliseconds: on a machine with much else to do, fewer are drawn, and the test says so. */
export const patience = isLong ? Number.POSITIVE_INFINITY : 90_000;
