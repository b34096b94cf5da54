import { demand } from "../../../refusals/mesh-error.ts";

/** The most octets of a file that is imported, and of what is unpacked out of it: several hundred thousand items. */
export const maxFileOctets = 256 * 1024 * 1024;

/** The most items of one file. */
export const maxItems = 500_000;

/** Refuses a list of too many before anything is made of its elements. */
export function checkItems(count: number): void {
  demand(count <= maxItems, "import-too-large", `The file holds more than ${maxItems} items.`);
}

/** How deep the groups, elements and members of a file may stand in one another. */
export const maxDepth = 64;

/** How deep groups of KeePass may stand in one another: with all that an entry has, what is written must be readable again. */
export const maxGroups = 48;

/** The most values in the JSON of a file, members and elements counted: as many as so many items have. More would not fit into memory, however short they are. */
export const maxValues = 12_000_000;

/** The most values that one field of an entry may have had. */
export const maxHistory = 10_000;
