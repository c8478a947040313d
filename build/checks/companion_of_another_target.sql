-- a detection is grouped with a companion of another target
SELECT d.target_id, d.reduction_id, d.number, d.companion_id, c.target_id AS target_of_companion
FROM detection d JOIN companion c USING (companion_id)
WHERE d.target_id <> c.target_id;
