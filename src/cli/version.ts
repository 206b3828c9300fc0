/** The version of the package, which the bundler writes in. */
declare const packageVersion: string | undefined;

export const version = typeof packageVersion === "string" ? packageVersion : "unbuilt";
