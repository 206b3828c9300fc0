/** Evaluations of policies: cells of chains, and every step of them (core/evaluate/cell.ts). */
export const evaluations = `
CREATE TABLE evaluationCells (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  policy TEXT NOT NULL,
  task TEXT NOT NULL,
  start TEXT NOT NULL,
  protocol TEXT NOT NULL,
  seed INTEGER NOT NULL,
  evaluatorDigest TEXT NOT NULL,
  image TEXT NOT NULL,
  prompt TEXT NOT NULL,
  sampling TEXT NOT NULL
) STRICT;

CREATE TABLE evaluationSteps (
  cell TEXT NOT NULL REFERENCES evaluationCells (id),
  chain INTEGER NOT NULL,
  k INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  start TEXT NOT NULL,
  goal TEXT NOT NULL,
  prompt TEXT NOT NULL,
  seed INTEGER NOT NULL,
  text TEXT NOT NULL,
  finish TEXT NOT NULL,
  constrained TEXT,
  tokens INTEGER,
  ms REAL NOT NULL,
  edit TEXT,
  snapshot TEXT,
  verdict TEXT,
  score REAL,
  quality REAL,
  qualitySE REAL,
  feedback TEXT,
  cached INTEGER,
  PRIMARY KEY (cell, chain, k, attempt)
) STRICT;
`;
