/**
 * What a decision needs to be recomputed from records alone: the evaluator of every score, the roots in force in the
 * order of the closings, what a group changed in the buffer, and how far its replies were apart.
 *
 * Of an older history is carried over what is known. No task ran under an evaluator without an audit: where there was
 * one audit, its evaluator made all scores, else it stays unknown (NULL). Buffer changes and distances stay NULL.
 */
export const records = `
ALTER TABLE nodes ADD COLUMN evaluator TEXT;
UPDATE nodes SET evaluator = (
  SELECT CASE count(*) WHEN 1 THEN min(evaluatorDigest) END FROM audits WHERE audits.task = nodes.task
);
DROP INDEX rootsByContent;
CREATE UNIQUE INDEX rootsByContent ON nodes (task, ifnull(snapshot, ''), ifnull(evaluator, ''))
WHERE parent IS NULL;

CREATE TABLE roots (
  seq INTEGER PRIMARY KEY,
  task TEXT NOT NULL,
  node TEXT NOT NULL REFERENCES nodes (id),
  "after" INTEGER NOT NULL
) STRICT;
INSERT INTO roots (task, node, "after")
SELECT task, id, (
  SELECT ifnull(max(groups.closedSeq), 0) FROM nodes AS made JOIN groups ON groups.id = made."group"
  WHERE made.seq < nodes.seq
)
FROM nodes WHERE parent IS NULL ORDER BY seq;

ALTER TABLE groups ADD COLUMN roots INTEGER NOT NULL DEFAULT 0;
ALTER TABLE groups ADD COLUMN evaluator TEXT;
ALTER TABLE groups ADD COLUMN embedding TEXT;
ALTER TABLE groups ADD COLUMN bufferChanges TEXT;
UPDATE groups SET
  roots = (SELECT count(*) FROM roots AS known WHERE groups.closedSeq IS NULL OR known."after" < groups.closedSeq),
  evaluator = (SELECT evaluator FROM nodes WHERE nodes.id = groups.start);

ALTER TABLE replies ADD COLUMN distance REAL;

UPDATE runs SET settings = json_set(settings, '$.embeddingModel', json('null'));
`;
