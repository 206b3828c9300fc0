/**
 * The version of everything in this folder. It grows with any change an older partner could misread. A client of
 * another version may look but not touch: only `readOnlyMethods` are answered.
 */
export const protocolVersion = 6;
