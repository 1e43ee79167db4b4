"""What a reading is worth: truth, repeats, calibration, and where voxels come from."""
