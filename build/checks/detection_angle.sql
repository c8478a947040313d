-- offsets of a detection disagree with its position angle (East of North) by more than 2 deg
SELECT reduction_id, number, position_angle, dra, ddec
FROM detection
WHERE dra * dra + ddec * ddec > 0
  AND cos(radians(position_angle) - atan2(dra, ddec)) < cos(radians(2));
