/**
 * What the Mesh can keep for a person: one folder of this room each, pure, and unaware of the others (decision 9.1).
 *
 * `type` is what the sealed part of its Application Profile calls it (`[a-z][a-z0-9-]{0,31}`), the same for ever;
 * `summary` is one phrase for people. What draft §5.3 adds for each device comes with the first application that needs it.
 */
export type Application = { readonly type: string; readonly summary: string };
