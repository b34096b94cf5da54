/** The most octets of a file that is imported, and of what is unpacked out of it: several hundred thousand items. */
export const maxFileOctets = 256 * 1024 * 1024;

/** The most items of one file. */
export const maxItems = 500_000;

/** How deep the groups, elements and members of a file may stand in one another. */
export const maxDepth = 64;

/** How deep groups of KeePass may stand in one another: with all that an entry has, what is written must be readable again. */
export const maxGroups = 48;
