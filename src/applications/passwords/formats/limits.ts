/** The most octets of a file that is imported, and of what is unpacked out of it: several hundred thousand items. */
export const maxFileOctets = 256 * 1024 * 1024;

/** The most items of one file. */
export const maxItems = 500_000;

/** How deep the groups, elements and members of a file may stand in one another. */
export const maxDepth = 64;
