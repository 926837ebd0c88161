"""Left against right, and the pelvis: pure functions from strides to values with uncertainty."""
