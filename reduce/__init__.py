"""From frames to cubes, images, detections and limits: pure functions on arrays and headers."""
