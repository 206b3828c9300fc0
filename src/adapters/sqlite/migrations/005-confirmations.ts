/** Confirmations of a task's winner, one row each; the record is the JSON of `Confirmation`. */
export const confirmations = `
CREATE TABLE confirmations (
  seq INTEGER PRIMARY KEY,
  task TEXT NOT NULL,
  at TEXT NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX confirmationsByTask ON confirmations (task, seq);
`;
