/** An entry of the buffer may be a bare request, which has no snapshot. */
export const bareRequests = `
CREATE TABLE entries (
  place INTEGER PRIMARY KEY,
  task TEXT NOT NULL,
  node TEXT NOT NULL REFERENCES nodes (id),
  snapshot TEXT,
  failed INTEGER NOT NULL,
  S REAL NOT NULL,
  policy TEXT NOT NULL,
  timesDrawn INTEGER NOT NULL,
  dullGroups INTEGER NOT NULL,
  insertedAt INTEGER NOT NULL
) STRICT;
INSERT INTO entries SELECT place, task, node, snapshot, failed, S, policy, timesDrawn, dullGroups, insertedAt FROM buffer;
DROP TABLE buffer;
ALTER TABLE entries RENAME TO buffer;
`;
