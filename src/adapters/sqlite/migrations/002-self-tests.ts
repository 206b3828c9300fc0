/** What the sandbox was found to enforce, and which self-test a score was made under (none for older scores). */
export const selfTests = `
CREATE TABLE selfTests (
  key TEXT PRIMARY KEY,
  at TEXT NOT NULL,
  image TEXT NOT NULL,
  digest TEXT NOT NULL,
  guarantees TEXT NOT NULL
) STRICT;

ALTER TABLE scores ADD COLUMN selfTest TEXT;

UPDATE runs
SET provenance = json_set(provenance, '$.selfTests', json('[]'), '$.allowedMissing', json('[]'))
WHERE provenance <> 'null';
`;
