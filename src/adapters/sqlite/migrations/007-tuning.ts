/** Tuned models, gates, promotions and rounds (core/tuning). */
export const tuning = `
CREATE TABLE tunedModels (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL
) STRICT;

CREATE TABLE gates (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL
) STRICT;

CREATE TABLE promotions (
  seq INTEGER PRIMARY KEY,
  record TEXT NOT NULL
) STRICT;

CREATE TABLE bootstraps (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL
) STRICT;
`;
