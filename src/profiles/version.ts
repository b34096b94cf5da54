/** The place of a Personal Profile in its order: g is the version of its Master Profile, n counts from 1 in each g (decision 4.2). */
export type Version = { readonly g: number; readonly n: number };

/** Orders two versions: negative if `a` is before `b`. */
export function compareVersions(a: Version, b: Version): number {
  return a.g === b.g ? a.n - b.n : a.g - b.g;
}

/** Whether `a` is after `b`. */
export function isAfter(a: Version, b: Version): boolean {
  return compareVersions(a, b) > 0;
}

/** Whether the two name the same version. */
export function isSame(a: Version, b: Version): boolean {
  return a.g === b.g && a.n === b.n;
}

/** How people and messages write a version. */
export function showVersion(version: Version): string {
  return `(${version.g}, ${version.n})`;
}
