/**
 * The first schema. Columns carry the TypeScript names of core/history.ts and core/ports.ts; lists and records
 * are JSON text, log-probabilities 64-bit floats. What lists need is kept apart from the long texts.
 */
export const history = `
CREATE TABLE runs (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  seed INTEGER NOT NULL,
  tasks TEXT NOT NULL,
  strategy TEXT NOT NULL,
  settings TEXT NOT NULL,
  budget TEXT NOT NULL,
  startedAt TEXT NOT NULL,
  endedAt TEXT,
  endedBy TEXT,
  provenance TEXT NOT NULL,
  spent TEXT NOT NULL
) STRICT;

CREATE TABLE nodes (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  task TEXT NOT NULL,
  parent TEXT REFERENCES nodes (id),
  depth INTEGER NOT NULL,
  goal TEXT,
  verdict TEXT,
  score REAL,
  quality REAL,
  qualitySE REAL,
  snapshot TEXT,
  "group" TEXT REFERENCES groups (id),
  policy TEXT,
  heldOut INTEGER NOT NULL,
  feedback TEXT
) STRICT;
CREATE UNIQUE INDEX nodesByContent ON nodes (parent, snapshot) WHERE parent IS NOT NULL;
CREATE UNIQUE INDEX rootsByContent ON nodes (task, ifnull(snapshot, '')) WHERE parent IS NULL;

CREATE TABLE groups (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  run TEXT NOT NULL REFERENCES runs (id),
  iteration INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  task TEXT NOT NULL,
  start TEXT NOT NULL REFERENCES nodes (id),
  fromBuffer INTEGER NOT NULL,
  goal TEXT NOT NULL,
  strategy TEXT NOT NULL,
  policy TEXT NOT NULL,
  startQuality REAL,
  startSnapshot TEXT,
  startSE REAL,
  reward TEXT NOT NULL,
  draws TEXT NOT NULL,
  seeds TEXT NOT NULL,
  basis INTEGER NOT NULL,
  sampling TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open',
  closedSeq INTEGER UNIQUE,
  learnability REAL,
  informative INTEGER,
  closingDraws TEXT,
  UNIQUE (run, iteration, attempt)
) STRICT;

CREATE TABLE prompts (
  "group" TEXT PRIMARY KEY REFERENCES groups (id),
  messages TEXT NOT NULL,
  rendered TEXT NOT NULL
) STRICT;

CREATE TABLE replies (
  "group" TEXT NOT NULL REFERENCES groups (id),
  "index" INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  finish TEXT NOT NULL,
  constrained TEXT,
  ms REAL NOT NULL,
  snapshot TEXT,
  verdict TEXT,
  score REAL,
  quality REAL,
  qualitySE REAL,
  node TEXT REFERENCES nodes (id),
  reward REAL,
  advantage REAL,
  diversity REAL,
  PRIMARY KEY ("group", "index")
) STRICT, WITHOUT ROWID;

CREATE TABLE replyTexts (
  "group" TEXT NOT NULL,
  "index" INTEGER NOT NULL,
  text TEXT NOT NULL,
  tokens TEXT,
  logprobs BLOB,
  PRIMARY KEY ("group", "index"),
  FOREIGN KEY ("group", "index") REFERENCES replies ("group", "index")
) STRICT;

CREATE TABLE outcomeTexts (
  "group" TEXT NOT NULL,
  "index" INTEGER NOT NULL,
  answer TEXT,
  edit TEXT NOT NULL,
  feedback TEXT,
  evidence TEXT,
  PRIMARY KEY ("group", "index"),
  FOREIGN KEY ("group", "index") REFERENCES replies ("group", "index")
) STRICT;

CREATE TABLE buffer (
  place INTEGER PRIMARY KEY,
  task TEXT NOT NULL,
  node TEXT NOT NULL REFERENCES nodes (id),
  snapshot TEXT NOT NULL,
  failed INTEGER NOT NULL,
  S REAL NOT NULL,
  policy TEXT NOT NULL,
  timesDrawn INTEGER NOT NULL,
  dullGroups INTEGER NOT NULL,
  insertedAt INTEGER NOT NULL
) STRICT;

CREATE TABLE scores (
  key TEXT PRIMARY KEY,
  verdict TEXT NOT NULL,
  score REAL,
  quality REAL,
  qualitySE REAL,
  metrics TEXT NOT NULL,
  feedback TEXT,
  evidence TEXT NOT NULL,
  ms REAL NOT NULL
) STRICT;

CREATE TABLE journal (
  seq INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  step TEXT NOT NULL,
  data TEXT NOT NULL,
  UNIQUE (key, step)
) STRICT;

CREATE TABLE applied (
  slot INTEGER PRIMARY KEY CHECK (slot = 1),
  node TEXT NOT NULL REFERENCES nodes (id),
  task TEXT NOT NULL,
  at TEXT NOT NULL,
  "before" TEXT NOT NULL,
  "after" TEXT NOT NULL
) STRICT;

CREATE TABLE audits (
  task TEXT NOT NULL,
  evaluatorDigest TEXT NOT NULL,
  PRIMARY KEY (task, evaluatorDigest)
) STRICT;
`;
