/** Where a portal is, and its pin if it is known. */
export type PortalLocation = { readonly url: string; readonly pin?: string };
