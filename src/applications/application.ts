/**
 * What the Mesh can keep for a person: one folder of this room each, pure, and unaware of the others (decision 9.1).
 *
 * `type` is what the sealed part of its Application Profile calls it (`[a-z][a-z0-9-]{0,31}`), the same for ever;
 * `summary` is one phrase for people. `everywhere`: every mesh has it from the beginning; others are set up when they are wanted. `coGenerated`: each
 * device has a key for it, made of the base key that its Device Profile has for `type` and an administrator's contribution (draft §5.2).
 */
export type Application = { readonly type: string; readonly summary: string; readonly everywhere: boolean; readonly coGenerated: boolean };
