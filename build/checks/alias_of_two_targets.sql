-- one alias names two targets
SELECT alias, min(target_id) AS target_id, max(target_id) AS other_target_id
FROM target_alias
GROUP BY alias
HAVING count(DISTINCT target_id) > 1;
