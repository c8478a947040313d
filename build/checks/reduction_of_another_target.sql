-- an observation, its reductions and their detections are of different targets
SELECT o.observation_id, r.reduction_id, o.target_id, r.target_id AS target_of_reduction, d.target_id AS target_of_detection
FROM observation o JOIN reduction r USING (observation_id) LEFT JOIN detection d USING (reduction_id)
WHERE r.target_id <> o.target_id OR d.target_id <> o.target_id;
