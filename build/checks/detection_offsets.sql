-- offsets of a detection disagree with its separation by more than 1 mas or 1 %
SELECT reduction_id, number, separation, dra, ddec
FROM detection
WHERE abs(sqrt(dra * dra + ddec * ddec) - separation) > greatest(1, 0.01 * separation);
