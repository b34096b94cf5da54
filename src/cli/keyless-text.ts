/** What a person is told of catalogs whose newest key her device was not given yet. */
export function keylessText(count: number): string {
  return `This device was not given the newest keys yet (${count} catalog${count === 1 ? "" : "s"}): what it changes is kept and not sent, and what others change is not shown. It gets them when an administration device syncs: run \`mesh sync\` there, then here.`;
}
