// Names of all programs the tables know, without the tables: for readings that only ask whether a name is known.

/** Filled once by the registry; kept apart so that readings and tables do not import each other. */
export const PROGRAM_NAMES = new Set<string>();
